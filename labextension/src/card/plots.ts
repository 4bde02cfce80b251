/**
 * Where the points, ticks and cells of a sweep's drawing lie; `qpm_lab/display/plots.py` places them the same way.
 * All places are of one: 0 is the left or lower end, 1 the right or upper end.
 */

import { real, type Series, type Sweep, type Values } from '../sweep';

/** Ends of the axis of shares: few, so that a drawing that fills changes its scale seldom. */
const TOPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const TICKS = 5;
const SAME_STEP = 1e-6;
const POINT = 'point, counted from 0';

export type Place = [x: number, y: number];

export interface Ruler {
  name: string;
  ticks: { at: number; words: string }[];
}

/** Neighbouring points of one outcome; the bounds are empty when unknown. */
export interface Piece {
  points: Place[];
  low: Place[];
  high: Place[];
}

export interface LinePlot {
  across: Ruler;
  up: Ruler;
  lines: Piece[][];
  /** From here on nothing has been run. */
  empty: number | null;
}

export interface HeatMap {
  rows: number;
  columns: number;
  /** Column, row (0 lowest) and part of the scale. */
  cells: [number, number, number][];
  top: number;
  across: Ruler;
  up: Ruler;
}

export function ceiling(series: Series[]): number {
  const known = series.flatMap(one => [...one.share, ...one.high]).filter((value): value is number => value !== null);
  const highest = known.length ? Math.max(...known) : 1;
  return TOPS.find(top => highest <= top) ?? 1;
}

export function linePlot(sweep: Sweep): LinePlot {
  const { name, values, start, end } = horizontal(sweep);
  const places = values.map(value => (value - start) / (end - start));
  const runs = orderOf(sweep.indices, places);
  const top = ceiling(sweep.series);
  const rising = runs.every(run => run.every((shown, at) => at === 0 || (places[run[at - 1] ?? 0] ?? 0) < (places[shown] ?? 0)));
  return {
    across: { name, ticks: niceTicks(start, end).map(({ at, words }) => ({ at: (at - start) / (end - start), words })) },
    up: { name: 'share', ticks: [0, 0.5, 1].map(at => ({ at, words: `${Number((top * at * 100).toPrecision(3))} %` })) },
    lines: sweep.series.map(one => piecesOf(one, places, runs, top)),
    empty: sweep.done >= sweep.points || !rising ? null : Math.max(0, ...places)
  };
}

interface Horizontal {
  name: string;
  values: number[];
  start: number;
  end: number;
}

/** The first parameter that tells the points apart, else the number of the point. */
function horizontal(sweep: Sweep): Horizontal {
  for (const name of sweep.axes.length <= 1 ? sweep.names : []) {
    const values = (sweep.values[name] ?? []).filter((value): value is number => value !== null);
    const ends = values.length && new Set(values).size === sweep.indices.length ? endsOf(sweep, values) : null;
    if (ends && ends[0] < ends[1] && Number.isFinite(ends[1] - ends[0])) {
      return { name, values, start: ends[0], end: ends[1] };
    }
  }
  const [start, end] = wide(0, sweep.points - 1);
  return { name: POINT, values: sweep.indices, start, end };
}

/** Least and greatest value of the whole sweep; null while that cannot be known. */
function endsOf(sweep: Sweep, values: number[]): [number, number] | null {
  if (sweep.done >= sweep.points) {
    return wide(Math.min(...values), Math.max(...values));
  }
  const [first = 0, last = 0] = [sweep.indices[0], sweep.indices.at(-1)];
  if (first === last) {
    return null;
  }
  const step = ((values.at(-1) ?? 0) - (values[0] ?? 0)) / (last - first);
  const zero = (values[0] ?? 0) - step * first;
  const final = zero + step * (sweep.points - 1);
  const slack = SAME_STEP * Math.abs(final - zero);
  const even = values.every((value, at) => Math.abs(zero + step * (sweep.indices[at] ?? 0) - value) <= slack);
  return even ? [Math.min(zero, final), Math.max(zero, final)] : null;
}

function wide(start: number, end: number): [number, number] {
  return end > start ? [start, end] : [start - 0.5, start + 0.5];
}

/** Round values between two ends, with words that tell them apart. */
export function niceTicks(start: number, end: number): Ruler['ticks'] {
  const raw = (end - start) / TICKS;
  const size = 10 ** Math.floor(Math.log10(raw));
  if (!(raw > 0) || !(size > 0) || !Number.isFinite(size)) {
    return [];
  }
  const step = size * ([1, 2, 5].find(times => times * size >= raw * 0.999) ?? 10);
  const [first, last] = [Math.ceil(start / step - 1e-9), Math.floor(end / step + 1e-9)];
  const many = last - first + 1;
  return many > 2 * TICKS + 1 ? [] : Array.from({ length: Math.max(0, many) }, (_, n) => ({ at: (first + n) * step, words: tickWords((first + n) * step, step) }));
}

function tickWords(value: number, step: number): string {
  if (step < 1e-4 || Math.abs(value) >= 1e7) {
    return real(value);
  }
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const words = value.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });
  return /[1-9]/.test(words) ? words : '0';
}

/** Shown points from left to right, in runs without a gap. */
function orderOf(indices: number[], places: number[]): number[][] {
  const [first, ...others] = indices.map((_, shown) => shown).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  if (first === undefined) {
    return [];
  }
  const steps = others.map((shown, at) => Math.abs((indices[shown] ?? 0) - (indices[others[at - 1] ?? first] ?? 0)));
  const usual = [...steps].sort((a, b) => a - b)[steps.length >> 1] ?? 0;
  const monotone = steps.reduce((all, step) => all + step, 0) === Math.max(...indices) - Math.min(...indices);
  let run = [first];
  const runs = [run];
  others.forEach((shown, at) => {
    if (monotone && (steps[at] ?? 0) > 2 * usual) {
      runs.push((run = []));
    }
    run.push(shown);
  });
  return runs;
}

function piecesOf(one: Series, places: number[], runs: number[][], top: number): Piece[] {
  return runs.flatMap(run => split(run, shown => one.share[shown] != null).map(known => pieceOf(one, places, known, top)));
}

/** The stretches of a list for which something holds. */
function split(run: number[], holds: (shown: number) => boolean): number[][] {
  const stretches: number[][] = [[]];
  for (const shown of run) {
    if (holds(shown)) {
      stretches.at(-1)?.push(shown);
    } else {
      stretches.push([]);
    }
  }
  return stretches.filter(stretch => stretch.length > 0);
}

function pieceOf(one: Series, places: number[], known: number[], top: number): Piece {
  const at = (values: Values) => known.map((shown): Place => [places[shown] ?? 0, (values[shown] ?? 0) / top]);
  const bounded = known.every(shown => one.low[shown] != null);
  return { points: at(one.share), low: bounded ? at(one.low) : [], high: bounded ? at(one.high) : [] };
}

/** One outcome of a grid of rows and columns shown. */
export function heatMap(sweep: Sweep, [rows, columns]: [number, number], chosen: number): HeatMap {
  const one = sweep.series[chosen];
  const [height = rows, width = columns] = sweep.axes;
  const down = ranks(sweep.indices.map(index => Math.floor(index / width)), rows, height);
  const along = ranks(sweep.indices.map(index => index % width), columns, width);
  const top = one ? ceiling([one]) : 1;
  const [first, second] = sidesOf(sweep, down, along);
  return {
    rows,
    columns,
    cells: (one?.share ?? []).flatMap((share, at): HeatMap['cells'] => (share === null ? [] : [[along[at] ?? 0, down[at] ?? 0, share / top]])),
    top,
    across: side(sweep, second, along, columns),
    up: side(sweep, first, down, rows)
  };
}

/** Which of the shown rows (or columns) each point lies in; shown ones are spread evenly over all. */
function ranks(seen: number[], shown: number, whole: number): number[] {
  const known = [...new Set(seen)].sort((a, b) => a - b);
  if (known.length === shown) {
    const rank = new Map(known.map((at, place) => [at, place]));
    return seen.map(at => rank.get(at) ?? 0);
  }
  return seen.map(at => Math.min(shown - 1, Math.round((at * (shown - 1)) / (whole - 1))));
}

/** The first parameter that follows the rows alone, and the first that follows the columns alone. */
function sidesOf(sweep: Sweep, rows: number[], columns: number[]): [string, string] {
  const follows = sweep.names.map(name => {
    const values = sweep.values[name] ?? [];
    return { name, row: follow(values, rows), column: follow(values, columns) };
  });
  const second = follows.find(({ row, column }) => column && !row)?.name ?? '';
  return [follows.find(({ name, row }) => row && name !== second)?.name ?? '', second];
}

function follow(values: Values, side: number[]): boolean {
  const found = new Map<number, number | null>();
  return values.every((value, at) => {
    const place = side[at] ?? 0;
    if (!found.has(place)) {
      found.set(place, value);
    }
    return found.get(place) === value;
  });
}

/** Ticks at a few of the cells whose value is known. */
function side(sweep: Sweep, name: string, along: number[], many: number): Ruler {
  const values = new Map((sweep.values[name] ?? []).map((value, at) => [along[at] ?? 0, value]));
  const spread = Array.from({ length: Math.min(many, TICKS) }, (_, n) => (many <= TICKS ? n : Math.round((n * (many - 1)) / (TICKS - 1))));
  const known = spread.flatMap(at => {
    const value = values.get(at);
    return value == null ? [] : [{ at, value }];
  });
  const short = known.map(({ value }) => String(Number(value.toPrecision(4))));
  const words = new Set(short).size < short.length ? known.map(({ value }) => real(value)) : short;
  return { name, ticks: known.map(({ at }, n) => ({ at: (at + 0.5) / many, words: words[n] ?? '' })) };
}
