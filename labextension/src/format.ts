/** Figures as people read them; the static card (`qpm_lab/display/figures.py`) writes them the same way. */

const SYMBOLS: Record<string, string> = { USD: '$', EUR: '€', GBP: '£' };

export function count(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en-US');
}

export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Adds thousands separators to a decimal string without passing through a float. */
export function decimal(value: string): string {
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(\.\d+)?$/.exec(value) ?? [];
  return whole ? sign + whole.replace(/\B(?=(\d{3})+$)/g, ',') + rest : 'unknown';
}

/** Money with at least two decimals and as many more as it has; never rounded, never 0 when unknown. */
export function money(amount: string, currency: string): string {
  const figure = decimal(amount);
  if (figure === 'unknown') {
    return figure;
  }
  const [whole, part = ''] = figure.split('.');
  const digits = `${whole}.${part.replace(/0+$/, '').padEnd(2, '0')}`;
  const symbol = SYMBOLS[currency];
  if (!symbol) {
    return `${digits} ${currency}`.trim();
  }
  return digits.startsWith('-') ? `-${symbol}${digits.slice(1)}` : symbol + digits;
}

/** An amount of a quota in its unit; shots and jobs are named by the quota's title. */
export function amount(value: string, unit: string): string {
  if (unit === 'shots' || unit === 'jobs' || unit === '') {
    return decimal(value);
  }
  return unit === 's' ? `${decimal(value)} s` : money(value, unit);
}

export function percent(share: number): string {
  if (share > 0 && share < 0.0005) {
    return '< 0.1 %';
  }
  return share >= 0.9995 && share < 1 ? '> 99.9 %' : `${(share * 100).toFixed(1)} %`;
}

export function percentRange(low: number | null, high: number | null): string {
  return low === null || high === null
    ? '–'
    : `${outward(low * 100, 1, Math.floor)} – ${outward(high * 100, 1, Math.ceil)} %`;
}

export function confidence(level: number | null): string {
  return level === null ? '' : `${Number((level * 100).toPrecision(4))} %`;
}

/** Rounds one end of an interval away from its middle, so that what is shown is never narrower. */
function outward(value: number, places: number, round: (value: number) => number): string {
  const exact = Number((value * 10 ** places).toPrecision(12));
  return (round(exact) / 10 ** places).toFixed(places).replace(/^-(0(\.0+)?)$/, '$1');
}

/** An interval with as many digits as show two of its width, three to six. */
export function interval(low: number, high: number): string {
  const width = Math.abs(high - low);
  const places = width === 0 ? 3 : Math.min(6, Math.max(3, 1 - Math.floor(Math.log10(width))));
  return `${outward(low, places, Math.floor)} – ${outward(high, places, Math.ceil)}`;
}

export function duration(seconds: number): string {
  if (seconds < 0.0995) {
    return seconds > 0 && seconds < 0.0005 ? '< 1 ms' : `${Math.round(seconds * 1000)} ms`;
  }
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : coarse(seconds);
}

function coarse(seconds: number): string {
  const minutes = Math.floor(Math.round(seconds) / 60);
  const rest = Math.round(seconds) % 60;
  return minutes < 60 ? `${minutes} min ${rest} s` : `${count(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** How long ago, in the largest unit that fits: '12 s', '9 min', '3 h', '2 days'. */
export function span(seconds: number): string {
  const steps: [number, string][] = [
    [86400, 'day'],
    [3600, 'h'],
    [60, 'min']
  ];
  for (const [size, unit] of steps) {
    const many = Math.floor(seconds / size);
    if (many >= 1) {
      return unit === 'day' ? counted(many, 'day') : `${many} ${unit}`;
    }
  }
  return `${Math.max(0, Math.floor(seconds))} s`;
}

/** Seconds from an RFC 3339 time to `now` (milliseconds); null for what is not a time. */
export function secondsSince(time: string, now: number): number | null {
  const instant = Date.parse(time);
  return Number.isNaN(instant) ? null : (now - instant) / 1000;
}

export function ago(time: string, now: number): string {
  const seconds = secondsSince(time, now);
  if (seconds === null) {
    return '';
  }
  return seconds < 5 ? 'now' : span(seconds);
}

/** 'sha256:4be1d0…' → 'sha256:4be1…'; other ids keep ten characters. */
export function short(id: string): string {
  const colon = id.indexOf(':');
  const kept = colon < 0 ? 10 : colon + 5;
  return id.length > kept + 2 ? `${id.slice(0, kept)}…` : id;
}

/** '01:02' of a local date, with the day: for titles, where the exact time is wanted. */
export function moment(time: string): string {
  const instant = Date.parse(time);
  return Number.isNaN(instant) ? time : new Date(instant).toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
}
