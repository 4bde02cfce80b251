import { LabIcon } from '@jupyterlab/ui-components';

/** A shield (the rules) around a state on its sphere (the job). */
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.8" stroke-linejoin="round" stroke-linecap="round">
    <path d="M12 2.5 4 5.5v6c0 4.9 3.3 8.6 8 10 4.7-1.4 8-5.1 8-10v-6z" style="fill:none"/>
    <ellipse cx="12" cy="12" rx="4.6" ry="1.8" style="fill:none"/>
    <path d="M12 12l2.6-4.2" style="fill:none"/>
  </g>
  <circle class="jp-icon3" cx="14.9" cy="7.4" r="1.5" fill="#616161"/>
</svg>`;

export const icon = new LabIcon({ name: 'qpm-lab:icon', svgstr: SVG });
