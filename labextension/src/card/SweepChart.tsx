import { type CSSProperties, type ReactNode, useState } from 'react';

import { confidence, percent } from '../format';
import { kept, pointTable, spoken, type Sweep } from '../sweep';
import { Key } from './Key';
import { type HeatMap, heatMap, type LinePlot, linePlot, type Piece, type Place, type Ruler } from './plots';

/** Up to so many points each is marked; more would hide the dashes that tell the lines apart. */
const DOTS = 30;
const SHADES = 16;
/** The drawing's own units in each direction. */
const SIZE = 1000;

export interface SweepChartProps {
  sweep: Sweep;
  status: string;
  /** What stands below the drawing while the sweep runs. */
  children?: ReactNode;
}

/**
 * A sweep as lines with their bands or as a heat map, with words and figures below. The drawing is an SVG without
 * aspect ratio, so that it stretches with the page while strokes and labels keep their size.
 */
export function SweepChart({ sweep, status, children }: SweepChartProps) {
  const all = kept(sweep, status);
  return (
    <div>
      <h4 title={sweep.method}>{headingOf(sweep)}</h4>
      {sweep.cells ? <Heat sweep={sweep} cells={sweep.cells} /> : <Lines sweep={sweep} />}
      {children}
      {all && (
        <p className="qpm-quiet">
          {all[0]} <code>{all[1]}</code>
        </p>
      )}
      {sweep.indices.length > 0 && sweep.series.length > 0 && <Figures sweep={sweep} />}
    </div>
  );
}

function headingOf({ level }: Sweep): string {
  return level === null ? 'Shares of the outcomes' : `Shares, with ${confidence(level)} intervals for each point`;
}

function Lines({ sweep }: { sweep: Sweep }) {
  const plot = linePlot(sweep);
  return (
    <div role="img" aria-label={spoken(sweep, plot.across.name, sweep.series)}>
      <ul className="qpm-Legend">
        {sweep.series.map((one, place) => (
          <li key={one.key}>
            <svg className="qpm-Swatch" viewBox="0 0 32 10" aria-hidden="true">
              <g className={`qpm-series-${place}`}>
                <path className="qpm-Course" d="M0 5L32 5" />
              </g>
            </svg>
            <Key text={one.key} />
          </li>
        ))}
      </ul>
      <Frame across={plot.across} up={plot.up} empty={plot.empty}>
        <LineShapes plot={plot} />
      </Frame>
    </div>
  );
}

function LineShapes({ plot }: { plot: LinePlot }) {
  const many = plot.lines[0]?.reduce((all, piece) => all + piece.points.length, 0) ?? 0;
  return (
    <svg viewBox={`0 0 ${SIZE} ${SIZE}`} preserveAspectRatio="none" aria-hidden="true">
      {plot.lines.map((pieces, place) => (
        <g key={place} className={`qpm-series-${place}`}>
          <path className="qpm-Band" d={pieces.map(band).join('')} />
          <path className="qpm-Course" d={pieces.map(piece => path(piece.points)).join('')} />
          {many <= DOTS && <path className="qpm-Dots" d={pieces.flatMap(piece => piece.points.map(point => `${path([point])}h0`)).join('')} />}
        </g>
      ))}
    </svg>
  );
}

function band({ low, high }: Piece): string {
  return low.length ? `${path([...low, ...[...high].reverse()])}z` : '';
}

function path(points: Place[]): string {
  return `M${points.map(([x, y]) => `${Math.round(x * SIZE)} ${Math.round((1 - y) * SIZE)}`).join('L')}`;
}

interface FrameProps {
  across: Ruler;
  up: Ruler;
  /** From here on nothing has been run. */
  empty: number | null;
  children: ReactNode;
}

/** A drawing with its ticks and the names of both axes. */
function Frame({ across, up, empty, children }: FrameProps) {
  return (
    <>
      <div className="qpm-AxisName qpm-quiet">{up.name}</div>
      <div className="qpm-Plot qpm-num">
        {empty !== null && <span className="qpm-Empty" style={{ left: `${empty * 100}%` }} />}
        {children}
        {across.ticks.map(({ at, words }) => (
          <span key={words} className="qpm-Tick-x qpm-quiet" style={{ left: `${at * 100}%` }}>
            {words}
          </span>
        ))}
        {up.ticks.map(({ at, words }) => (
          <span key={words} className="qpm-Tick-y qpm-quiet" style={{ bottom: `${at * 100}%` }}>
            {words}
          </span>
        ))}
      </div>
      <div className="qpm-AxisName qpm-across qpm-quiet">{across.name}</div>
    </>
  );
}

/** The arrow keys are the list's: JupyterLab would move to another cell. */
function Heat({ sweep, cells }: { sweep: Sweep; cells: [number, number] }) {
  const [key, choose] = useState('');
  const chosen = Math.max(0, sweep.series.findIndex(one => one.key === key));
  const plot = heatMap(sweep, cells, chosen);
  return (
    <>
      <label className="qpm-Choice">
        Share of{' '}
        <select className="qpm-Field" data-lm-suppress-shortcuts value={sweep.series[chosen]?.key ?? ''} onChange={event => choose(event.target.value)}>
          {sweep.series.map(one => (
            <option key={one.key}>{one.key}</option>
          ))}
        </select>
      </label>
      <div role="img" aria-label={spoken(sweep, plot.across.name, sweep.series.slice(chosen, chosen + 1))}>
        <Frame across={plot.across} up={plot.up} empty={0}>
          <HeatShapes plot={plot} />
        </Frame>
        <div className="qpm-Scale qpm-num qpm-quiet">
          <span>0 %</span>
          <span className="qpm-Ramp" />
          <span>{percent(plot.top)}</span>
        </div>
      </div>
    </>
  );
}

/** One path for each shade that occurs, instead of an element for each cell. */
function HeatShapes({ plot }: { plot: HeatMap }) {
  const shades = new Map<number, string>();
  for (const [column, row, share] of plot.cells) {
    const shade = Math.round(share * SHADES);
    shades.set(shade, `${shades.get(shade) ?? ''}M${column} ${plot.rows - 1 - row}h1v1h-1z`);
  }
  return (
    <svg viewBox={`0 0 ${plot.columns} ${plot.rows}`} preserveAspectRatio="none" aria-hidden="true">
      {[...shades].map(([shade, cells]) => (
        <path key={shade} className="qpm-Cell" d={cells} style={{ '--qpm-shade': `${(shade / SHADES) * 100}%` } as CSSProperties} />
      ))}
    </svg>
  );
}

/** Some points as a table behind a click. */
function Figures({ sweep }: { sweep: Sweep }) {
  const { title, heads, rows } = pointTable(sweep);
  return (
    <details>
      <summary>{title}</summary>
      <div className="qpm-Points qpm-num" tabIndex={0}>
        <table>
          <caption className="qpm-spoken">{title}</caption>
          <thead>
            <tr>
              {heads.map((head, column) => (
                <th key={column} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([first, ...cells], row) => (
              <tr key={row}>
                <th scope="row">{first}</th>
                {cells.map((cell, column) => (
                  <td key={column}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
