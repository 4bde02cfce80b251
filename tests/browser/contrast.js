// Texts of cards and panels whose contrast with what is behind them is below 4.5 to 1.
() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const ink = canvas.getContext('2d', { willReadFrequently: true });
  const over = (colour, below) => {
    ink.fillStyle = `rgb(${below})`;
    ink.fillRect(0, 0, 1, 1);
    ink.fillStyle = colour;
    ink.fillRect(0, 0, 1, 1);
    return [...ink.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const backdrop = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.unshift(getComputedStyle(at).backgroundColor);
    }
    return layers.reduce((below, colour) => over(colour, below), [255, 255, 255]);
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(v => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll('.qpm-Card *, .qpm-Panel *')) {
    if (![...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim())) {
      continue;
    }
    const below = backdrop(element);
    const pair = [luminance(over(getComputedStyle(element).color, below)), luminance(below)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) {
      found.push(`${element.className || element.tagName} "${element.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
    }
  }
  return found;
}
