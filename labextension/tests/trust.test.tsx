import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { Card } from '../src/card/Card';
import type { RunAgain } from '../src/card/Next';
import { JobItem } from '../src/panels/JobItem';
import { rerunCode, rerunQuestion } from '../src/trustWords';
import { document as fixture, record, row } from './fixtures';

afterEach(cleanup);

const body = () => document.body.textContent ?? '';
const free = fixture().quote as object;
const priced = { ...free, low: '0.30', high: '0.36', source: 'price list' };
const estimate = { value: 0.958, low: 0.951, high: 0.965, level: 0.95, estimand: 'heavy-set outcome fidelity', method: 'exact', shots: 4096, reason: null };
const hellinger = { ...estimate, value: 0.94, low: 0.931, high: 0.955, estimand: 'Hellinger outcome fidelity' };
const compared = { ...estimate, flag: 'none', hellinger, misfit_z: 0.4, dispersion: { blocks: 20, ratio: 1.02, p_value: 0.43, warning: null } };
const JOB = '01JDABCDEFGHIJKL';

function again(change: object = {}) {
  return { shots: 12000, command: `%qjob --again ${JOB} --shots 12000`, quote: free, ...change };
}

function judged(passed: boolean, change: object = {}) {
  const condition = { text: 'fidelity>=0.9', passed, value: 0.958, low: 0.951, high: 0.965, threshold: passed ? 0.9 : 0.96, reason: null };
  return { passed, conditions: [condition], attempts: 1, earlier: { passed: 0, failed: 0 }, ...change };
}

describe('the fidelity of a card', () => {
  it('is an interval with its companion on one axis, and never a bare value', () => {
    render(<Card record={record({ fidelity: compared })} />);
    expect(body()).toContain('Outcome fidelity (heavy set)0.951 – 0.965 95 %');
    expect(body()).toContain('Hellinger: 0.931 – 0.955 (95 %)');
    const left = (name: string) => parseFloat(document.querySelector<HTMLElement>(name)?.style.left ?? '');
    expect(left('.qpm-Axis-interval')).toBeCloseTo(51);
    expect(left('.qpm-Axis-other')).toBeCloseTo(31);
    document.querySelectorAll('pre').forEach(record => record.remove());
    expect(body()).not.toContain('0.958');
  });

  it.each([
    ['process (entanglement) fidelity', 'mirror circuit fidelity estimation', 'Process fidelity (mirror circuits)'],
    ['process (entanglement) fidelity', 'direct fidelity estimation', 'Process fidelity (Clifford proxies)'],
    ['heavy-set outcome fidelity F_H = …', 'exact', 'Outcome fidelity (heavy set)'],
    ['state fidelity', 'from elsewhere', 'Outcome fidelity']
  ])('has the short name of its kind: %s, %s', (estimand, method, title) => {
    render(<Card record={record({ fidelity: { ...estimate, estimand, method } })} />);
    expect(screen.getByRole('heading', { name: title })).toBeTruthy();
  });

  it('has its method directly under the interval, before the companion', () => {
    render(<Card record={record({ fidelity: { ...compared, method: 'heavy-set, exact' } })} />);
    const fact = screen.getByRole('heading', { name: 'Outcome fidelity (heavy set)' }).parentElement;
    expect(fact?.textContent).toMatch(/95 %heavy-set, exact.*Hellinger: 0\.931/);
  });

  it('tells what its companion takes for granted', () => {
    render(<Card record={record({ fidelity: { ...compared, hellinger: { ...hellinger, assumption: 'Few errors.' } } })} />);
    expect(screen.getByText('How it was measured').closest('details')?.textContent).toContain('Its assumptionFew errors.');
  });

  it('tells an assumption that further circuits share with it once', () => {
    const companions = { method: 'proxy', circuits: 10, shots: 1, chosen_by: 'auto', assumption: 'The job is twirled.', digest: 'sha256:c0ff' };
    render(<Card record={record({ fidelity: { ...estimate, assumption: 'The job is twirled.' }, companions })} />);
    expect(screen.getAllByText('The job is twirled.')).toHaveLength(1);
    expect(body()).not.toContain('They take for granted');
  });

  it.each([
    ['red', '⚑', 'Red flag: the errors are not white noise: this fidelity may flatter the circuit.'],
    ['amber', '⚐', 'Amber flag: the errors are not quite white noise.']
  ])('says a %s flag with a symbol, a word and a sentence', (flag, symbol, words) => {
    render(<Card record={record({ fidelity: { ...compared, flag } })} />);
    expect(body()).toContain(symbol + words);
    expect(body().includes('check the errors')).toBe(flag === 'red');
  });

  it('warns of shots that are not independent', () => {
    render(<Card record={record({ fidelity: { ...compared, dispersion: { warning: 'shots not independent: 20 blocks differ.' } } })} />);
    expect(body()).toContain('Dispersion: shots not independent: 20 blocks differ.');
  });

  it('is neither an axis nor an interval on an ideal simulator', () => {
    render(<Card record={record({ fidelity: { ...estimate, value: null, reason: 'ideal simulator, sampling noise only' } })} />);
    expect(body()).toContain('Ideal simulator, sampling noise only');
    expect(document.querySelector('.qpm-Axis')).toBeNull();
    expect(screen.getByText(/^would give 0\.951 – 0\.965/).closest('details')).not.toBeNull();
  });

  it('tells further circuits, twirl, machine and canary in the details', () => {
    const companions = { method: 'proxy', circuits: 2000, shots: 1, chosen_by: 'auto', assumption: 'The job is twirled.', digest: 'sha256:c0ff' };
    const canary = { series: 's', successes: 890, shots: 1000, alarm: true, evidence: 1480.2, threshold: 1000, rate: { low: 0.869, high: 0.909 }, text: 'Drift: fallen.' };
    render(
      <Card record={record({ companions, canary, twirl: { kind: 'all', variants: 32 }, calibration: { digest: 'sha256:ab', description: 'noise model' } })} />
    );
    const details = screen.getByText('How it was measured').closest('details')?.textContent ?? '';
    for (const said of ['2,000 Clifford proxies × 1 shot, chosen automatically', 'The job is twirled.', 'It hides nothing', 'Machine as it wasnoise modelIts snapshotsha256:ab', 'Evidence 1480.2']) {
      expect(details).toContain(said);
    }
    expect(body()).toContain('⚠Drift alarm: fallen. On average at most one false alarm in 1,000 canaries while nothing drifts.');
  });
});

describe('the validation of a card', () => {
  it('is seen first when it failed, with the end that decided it', () => {
    render(<Card record={record({ validation: judged(false) })} />);
    expect(screen.getByText('Completed, validation failed').className).toBe('qpm-bad');
    expect(screen.getByRole('region', { name: 'Quantum job ghz5: Completed, validation failed' })).toBeTruthy();
    expect(body()).toContain('✗fidelity>=0.9 failed: the lower end, 0.951, is below 0.96.');
  });

  it.each([
    [true, 'process (entanglement) fidelity', 'fidelity>=0.9 (process fidelity) passed: the lower end'],
    [false, 'process (entanglement) fidelity', 'fidelity>=0.9 (process fidelity) failed: the lower end'],
    [true, 'heavy-set outcome fidelity', 'fidelity>=0.9 passed: the lower end']
  ])('says of what a condition is, where that is a process: %s, %s', (passed, estimand, words) => {
    const found = judged(passed);
    const conditions = found.conditions.map(condition => ({ ...condition, estimand }));
    render(<Card record={record({ validation: { ...found, conditions } })} />);
    expect(body()).toContain(words);
  });

  it('says that a pass after several attempts means less', () => {
    render(<Card record={record({ validation: judged(true, { attempts: 3, earlier: { passed: 1, failed: 1 } }) })} />);
    expect(body()).toContain('Completed, validation passed');
    expect(body()).toContain('Attempt 3: of 2 earlier ones 1 passed, 1 failed. A pass after several attempts means less');
  });

  it('is in the list of jobs', () => {
    render(<JobItem row={row('J1', { passed: false })} now={0} open={() => undefined} cancel={async () => undefined} settle={async () => undefined} />);
    expect(body()).toContain('completed, validation failed');
  });
});

describe('more shots', () => {
  const refused = { ...estimate, value: null, reason: 'Too few.', shots_needed: 12000 };

  function show(change: object, runAgain?: RunAgain) {
    const rerun = again(change);
    const next = { text: 'With 12,000 shots the fidelity can be given as a value.', command: rerun.command };
    render(<Card record={record({ fidelity: refused, rerun, next })} runAgain={runAgain} />);
  }

  it('are offered with their price and a command that copies itself', () => {
    show({ quote: priced });
    expect(body()).toContain('Price: $0.30 – $0.36, quoted (price list, 2026-07-23).');
    expect(screen.getByRole('button', { name: `Copy command %qjob --again ${JOB} --shots 12000` })).toBeTruthy();
  });

  it('have no button where there is no notebook', () => {
    show({});
    expect(screen.queryByRole('button', { name: /^Run / })).toBeNull();
  });

  it('run on a click, and the button says so', async () => {
    const ran: string[] = [];
    show({}, async (_, code) => ran.push(code) > 0);
    fireEvent.click(screen.getByRole('button', { name: 'Run ghz5 again with 12,000 shots' }));
    await screen.findByText('runs in the cell below');
    expect(ran).toEqual([`%qjob --again ${JOB} --shots 12000`]);
  });

  it('do not run when the person thinks better of it, and can be asked for again', async () => {
    show({}, async () => false);
    const button = screen.getByRole<HTMLButtonElement>('button', { name: /^Run ghz5/ });
    fireEvent.click(button);
    await waitFor(() => expect(button.disabled).toBe(false));
    expect(body()).not.toContain('runs in the cell below');
  });

  it('say what went wrong', async () => {
    show({}, () => Promise.reject(new Error('The cell of this card is gone.')));
    fireEvent.click(screen.getByRole('button', { name: /^Run ghz5/ }));
    await screen.findByText('The cell of this card is gone.');
  });

  it.each([
    ['another command', again({ command: '__import__("os").system("rm -rf ~")' })],
    ['a command with more in it', again({ command: `%qjob --again ${JOB} --shots 12000\nprint(1)` })],
    ['another job', again({ command: '%qjob --again OTHER --shots 12000' })],
    ['other shots', again({ shots: 13000 })],
    ['shots that are none', again({ shots: -1, command: `%qjob --again ${JOB} --shots -1` })]
  ])('never run what a notebook from elsewhere says: %s', (_, rerun) => {
    expect(rerunCode(record({ rerun }))).toBeNull();
  });

  it('never run for a job id that is more than an id', () => {
    const id = 'x --shots 1; import os';
    expect(rerunCode(record({ job_id: id, rerun: again({ command: `%qjob --again ${id} --shots 12000` }) }))).toBeNull();
  });

  it.each([
    ['free', free, null],
    ['a price', priced, '12,000 shots. Price: $0.30 – $0.36, quoted (price list, 2026-07-23).'],
    ['an unknown price', { ...free, low: null, high: null }, '12,000 shots. Price: unknown, no price is known.'],
    ['a free price that is out of date', { ...free, stale: true }, '12,000 shots. Price: $0.00, local simulation is free.']
  ])('are asked about unless they are free: %s', (_, quote, question) => {
    const { rerun } = record({ rerun: again({ quote }) });
    expect(rerun && rerunQuestion(rerun)).toBe(question);
  });
});
