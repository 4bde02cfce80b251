/** The block `sweep` of docs/record.md: shares of a few outcomes at some points; `qpm_lab/display/sweeps.py` reads it too. */

import { counted, count, percent, percentRange } from './format';
import { type Fields, fields, items, list, number, text } from './fields';

/** As many outcomes as have a dash and a colour of their own. */
const SERIES = 6;
const SHOWN = 2000;
const NAMES = 3;
const ROWS = 11;
const ENDED_EARLY = ['cancelled', 'failed'];

export type Values = (number | null)[];

export interface Series {
  key: string;
  share: Values;
  low: Values;
  high: Values;
}

export interface Sweep {
  names: string[];
  /** Lengths of the axes that have more than one point. */
  axes: number[];
  points: number;
  done: number;
  /** Of the shown points in the whole sweep, row-major. */
  indices: number[];
  /** Rows and columns shown of a grid. */
  cells: [number, number] | null;
  values: Record<string, Values>;
  /** Those that vary most come first. */
  series: Series[];
  level: number | null;
  method: string;
}

/** Null for what is no sweep, or none whose size is known. */
export function readSweep(value: unknown): Sweep | null {
  const found = fields(value);
  const sizes = list(found?.shape).map(number);
  const axes = sizes.filter((size): size is number => size !== null && size > 1).map(Math.floor);
  const points = Math.floor(number(found?.points) ?? product(axes));
  if (!found || points < 1) {
    return null;
  }
  const shown = fields(found.shown) ?? {};
  const given = list(shown.indices, SHOWN).map(number);
  const kept = given.flatMap((index, place) => (index !== null && index >= 0 && index < points ? [place] : []));
  const names = list(found.parameters).map(text);
  const values = fields(found.values) ?? {};
  return {
    names,
    axes,
    points,
    done: Math.min(points, Math.max(0, Math.floor(number(found.done) ?? 0))),
    indices: kept.map(place => Math.floor(given[place] ?? 0)),
    cells: product(axes) === points ? cellsOf(axes, list(shown.shape)) : null,
    values: Object.fromEntries(names.map(name => [name, picked(values[name], kept)])),
    series: items(found.outcomes).slice(0, SERIES).map(outcome => readSeries(outcome, kept)),
    level: number(found.level),
    method: text(found.method)
  };
}

function product(sizes: number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

function picked(value: unknown, kept: number[]): Values {
  const given = list(value, SHOWN);
  return kept.map(place => number(given[place]));
}

function readSeries(found: Fields, kept: number[]): Series {
  const [share, low, high] = [found.share, found.low, found.high].map(values => picked(values, kept)) as [Values, Values, Values];
  const bounded = low.map((least, place) => {
    const most = high[place] ?? null;
    return least !== null && most !== null && 0 <= least && least <= most && most <= 1;
  });
  return {
    key: text(found.key) || '(empty)',
    share: share.map(value => (value === null ? null : Math.min(1, Math.max(0, value)))),
    low: low.map((value, place) => (bounded[place] ? value : null)),
    high: high.map((value, place) => (bounded[place] ? value : null))
  };
}

function cellsOf(axes: number[], shape: unknown[]): [number, number] | null {
  const [rows, columns] = [number(shape[0]), number(shape[1])];
  const [height, width] = axes;
  if (axes.length !== 2 || shape.length !== 2 || !height || !width || !rows || !columns || rows * columns > SHOWN) {
    return null;
  }
  return [Math.min(height, Math.floor(rows)), Math.min(width, Math.floor(columns))];
}

/** '420 of 1,000 points', '1,000 points'. */
export function pointsWords({ done, points }: Sweep): string {
  return done >= points ? counted(points, 'point') : `${count(done)} of ${counted(points, 'point')}`;
}

/** Where all points are: a few words and the call; null while there is nothing to get. */
export function kept(sweep: Sweep, status: string): [string, string] | null {
  if (!sweep.done) {
    return null;
  }
  if (ENDED_EARLY.includes(status)) {
    return [`${pointsWords(sweep)} ${sweep.points === 1 ? 'is' : 'are'} kept:`, 'job.partial().to_frame()'];
  }
  return status === 'completed' ? ['All points as a table:', 'job.result().to_frame()'] : null;
}

/** The value of a parameter with six digits. */
export function real(value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(6)));
}

export interface PointTable {
  title: string;
  heads: string[];
  rows: string[][];
}

/** Evenly chosen points with their parameters, shares and intervals. */
export function pointTable(sweep: Sweep): PointTable {
  const many = sweep.indices.length;
  const places = many <= ROWS ? sweep.indices.map((_, place) => place) : Array.from({ length: ROWS }, (_, row) => Math.round((row * (many - 1)) / (ROWS - 1)));
  const names = sweep.names.slice(0, NAMES);
  const whole = many === sweep.points && many <= ROWS;
  return {
    title: whole ? 'All points in figures' : `${counted(places.length, 'point')} in figures`,
    heads: [...(names.length ? names : ['point']), ...sweep.series.map(one => one.key)],
    rows: places.map(place => {
      const point = names.map(name => real(sweep.values[name]?.[place] ?? null));
      return [...(point.length ? point : [count(sweep.indices[place] ?? null)]), ...sweep.series.map(one => told(one, place))];
    })
  };
}

/** '49.0 % [46.0 – 52.1 %]' */
export function told({ share, low, high }: Series, place: number): string {
  const value = share[place] ?? null;
  const between = percentRange(low[place] ?? null, high[place] ?? null);
  return value === null ? '–' : percent(value) + (between === '–' ? '' : ` [${between}]`);
}

/** The drawing in a sentence or two, for whoever cannot see it. */
export function spoken(sweep: Sweep, across: string, series: Series[]): string {
  if (!sweep.indices.length) {
    return 'No point is done yet.';
  }
  const kind = sweep.cells ? `Heat map over ${sweep.names.join(' and ')}` : `Line chart over ${across}`;
  return [`${kind}.`, ...series.map(course)].join(' ');
}

function course({ key, share }: Series): string {
  const known = share.filter((value): value is number => value !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) {
    return `${key}: unknown.`;
  }
  const ends = `starts at ${percent(first)}, ends at ${percent(last)}`;
  return `${key} ${ends}, lowest ${percent(Math.min(...known))}, highest ${percent(Math.max(...known))}.`;
}
