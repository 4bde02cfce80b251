import { cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { Card } from '../src/card/Card';
import { freshest } from '../src/card/LiveCard';
import { heatMap, linePlot, niceTicks } from '../src/card/plots';
import { readSweep, type Sweep } from '../src/sweep';
import { record } from './fixtures';

afterEach(cleanup);

const body = () => document.body.textContent ?? '';

/** A sweep of theta whose outcome '1' rises evenly; `done` of its points are there. */
function line(points: number, done = points, change: Record<string, unknown> = {}): Record<string, unknown> {
  const indices = Array.from({ length: done }, (_, index) => index);
  const share = indices.map(index => index / (2 * points));
  return {
    parameters: ['theta'],
    shape: [points],
    points,
    done,
    shown: { indices, shape: [points] },
    values: { theta: indices.map(index => index / 10) },
    outcomes: [
      { key: '1', share, low: share.map(value => value * 0.9), high: share.map(value => Math.min(1, value * 1.1)) },
      { key: '0', share: share.map(value => 1 - value), low: [], high: [] }
    ],
    level: 0.95,
    method: 'Clopper–Pearson, each point by itself',
    ...change
  };
}

/** A grid of `a` (rows) and `b` (columns); the share of '11' is that of its column. */
function grid(rows: number, columns: number, done = rows * columns): Record<string, unknown> {
  const indices = Array.from({ length: done }, (_, index) => index);
  return line(rows * columns, done, {
    parameters: ['a', 'b'],
    shape: [rows, columns],
    shown: { indices, shape: [rows, columns] },
    values: { a: indices.map(index => 10 * Math.floor(index / columns)), b: indices.map(index => index % columns) },
    outcomes: [
      { key: '11', share: indices.map(index => (index % columns) / columns), low: [], high: [] },
      { key: '00', share: indices.map(() => 0.25), low: [], high: [] }
    ]
  });
}

function read(value: unknown): Sweep {
  const found = readSweep(value);
  if (!found) {
    throw new Error('the fixture is not a sweep');
  }
  return found;
}

const swept = (sweep: Record<string, unknown>, change: Record<string, unknown> = {}) =>
  record({ sweep, counts: null, outcomes: null, fidelity: null, shots: 1024, ...change });

describe('the card of a sweep', () => {
  it('names points and shots, draws every outcome, and says where the table is', () => {
    render(<Card record={swept(line(1000, 1000))} />);
    expect(body()).toContain('1,000 points × 1,024 shots');
    expect(body()).toContain('All points as a table: job.result().to_frame()');
    const label = screen.getByRole('img').getAttribute('aria-label');
    expect(label).toMatch(/^Line chart over theta\. 1 starts at 0\.0 %/);
    expect(document.querySelectorAll('.qpm-Course[d^="M0"]')).toHaveLength(2 + 2);
  });

  it('gives figures with intervals as a table', () => {
    render(<Card record={swept(line(5))} />);
    fireEvent.click(screen.getByText('All points in figures', { selector: 'summary' }));
    const rows = within(screen.getByRole('table', { hidden: true })).getAllByRole('row', { hidden: true });
    expect(rows).toHaveLength(1 + 5);
    expect(rows[5]?.textContent).toBe('0.440.0 % [36.0 – 44.0 %]60.0 %');
  });

  it('shows how far it is below a drawing whose rest is empty', () => {
    render(<Card record={swept(line(1000, 420), { status: 'running', progress: { done: 420, total: 1000, unit: 'points' } })} />);
    expect(body()).toContain('420 of 1,000 points');
    expect(document.querySelector<HTMLElement>('.qpm-Empty')?.style.left).toMatch(/^41\.9/);
    expect(body()).not.toContain('to_frame');
  });

  it('keeps what a cancelled sweep has done', () => {
    render(<Card record={swept(line(1000, 420), { status: 'cancelled', error: null })} />);
    expect(body()).toContain('The sweep was cancelled after 420 of 1,000 points.');
    expect(body()).toContain('420 of 1,000 points are kept: job.partial().to_frame()');
    expect(screen.getByRole('img')).toBeTruthy();
  });

  it('draws nothing for a job that was cancelled before its first point', () => {
    render(<Card record={swept(line(1000, 0), { status: 'cancelled' })} />);
    expect(screen.queryByRole('img')).toBeNull();
  });

  it('lets the outcome of a heat map be chosen', () => {
    render(<Card record={swept(grid(3, 4))} />);
    const cells = () => document.querySelectorAll('.qpm-Cell').length;
    expect(cells()).toBe(4);
    fireEvent.change(screen.getByLabelText(/Share of/), { target: { value: '00' } });
    expect(cells()).toBe(1);
    expect(screen.getByRole('img').getAttribute('aria-label')).toContain('00 starts at 25.0 %');
  });

  it('says how many points a refused sweep asked for, and its session', () => {
    const circuit = { name: 'a', points: 40 };
    render(<Card record={record({ status: 'denied', circuit, outcomes: null })} />);
    expect(body()).toContain('40 points × 4,096 shots');
    cleanup();
    render(<Card record={record({ labels: { experiment: 'h2', session: 'vqe' } })} />);
    expect(body()).toContain('experiment h2 · session vqe');
  });

  it('keeps the record of a thousand points out of its printed copy', () => {
    render(<Card record={swept(line(1000))} />);
    const printed = screen.getByText('Record').parentElement?.textContent ?? '';
    expect(printed).toContain('in the data of this output');
    expect(printed.length).toBeLessThan(6000);
  });
});

describe('a running sweep seen from two sides', () => {
  const running = (sweep: Record<string, unknown> | null) => swept(sweep ?? {}, { status: 'running' });

  it('keeps the points that only the kernel knows', () => {
    expect(freshest(running(line(10, 4)), running(null)).results[0]?.sweep?.done).toBe(4);
    expect(freshest(running(line(10, 4)), running(line(10, 7))).results[0]?.sweep?.done).toBe(7);
  });
});

describe('where things lie', () => {
  it('knows the end of an even sweep before it is there', () => {
    const plot = linePlot(read(line(101, 51)));
    expect(plot.across.ticks.map(tick => tick.words)).toEqual(['0', '2', '4', '6', '8', '10']);
    expect(plot.empty).toBeCloseTo(0.5);
  });

  it('counts points where the first values do not tell them apart or are not even yet', () => {
    const uneven = { values: { theta: [0, 1, 10, 100] } };
    expect(linePlot(read(line(8, 4, uneven))).across.name).toBe('point, counted from 0');
    expect(linePlot(read(line(4, 4, uneven))).across.name).toBe('theta');
    expect(linePlot(read(line(4, 4, { values: { theta: [1, 1, 1, 1] } }))).across.name).toBe('point, counted from 0');
  });

  it('breaks a line where points are missing', () => {
    const shown = { indices: [0, 1, 2, 7, 8, 9], shape: [10] };
    const plot = linePlot(read(line(10, 6, { shown, values: { theta: [0, 1, 2, 7, 8, 9] } })));
    expect(plot.lines[0]?.map(piece => piece.points.length)).toEqual([3, 3]);
  });

  it('names the axes of a grid by the parameters that follow them', () => {
    const plot = heatMap(read(grid(3, 4)), [3, 4], 0);
    expect([plot.up.name, plot.across.name]).toEqual(['a', 'b']);
    expect(plot.up.ticks.map(tick => tick.words)).toEqual(['0', '10', '20']);
  });

  it('puts the cells of an unfinished grid where they will stay', () => {
    const whole = heatMap(read(grid(6, 4)), [6, 4], 0).cells.map(String);
    const part = heatMap(read(grid(6, 4, 10)), [6, 4], 0).cells.map(([column, row]) => `${column},${row}`);
    expect(part).toEqual(whole.slice(0, 10).map(cell => cell.split(',').slice(0, 2).join()));
  });

  it('writes ticks that differ', () => {
    expect(niceTicks(0, 6.283).map(tick => tick.words)).toEqual(['0', '2', '4', '6']);
    expect(niceTicks(-0.1, 0.1).map(tick => tick.words)).toEqual(['-0.10', '-0.05', '0', '0.05', '0.10']);
    expect(niceTicks(1, 1)).toEqual([]);
  });
});

describe('a sweep from elsewhere', () => {
  it.each([
    {},
    { points: 'x' },
    { points: 5, shape: 'x', shown: 7, values: [], outcomes: [null, 3, {}] },
    { points: 5, shape: [5], shown: { indices: [0, 'x', -1, 9, 2] }, parameters: [{}], outcomes: [{ key: null, share: [2, 'x', null] }] },
    { points: 4, shape: [2, 2], shown: { indices: [0, 1], shape: [1e9, 1e9] }, parameters: ['a'], values: { a: null }, outcomes: [] }
  ])('is drawn or left out, never a fault: %j', value => {
    render(<Card record={swept(value)} />);
    expect(body()).toContain('Completed');
    expect(document.body.innerHTML).not.toContain('NaN');
  });
});
