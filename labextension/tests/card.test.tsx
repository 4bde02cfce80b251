import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { ApiError } from '../src/api';
import { Card } from '../src/card/Card';
import { freshest, LiveCard } from '../src/card/LiveCard';
import { FakeServer, outcomes, record } from './fixtures';

afterEach(cleanup);

const body = () => document.body.textContent ?? '';

describe('the card', () => {
  it('gives every outcome, interval, share and count as a table', () => {
    render(<Card record={record()} />);
    const table = screen.getByRole('table', { name: 'Outcomes, with 95 % intervals for all at once' });
    const first = within(table).getAllByRole('row')[1] as HTMLElement;
    expect(first.textContent).toBe('000001.0 – 6.0 %4.9 %200');
  });

  it('folds many outcomes, says how much is not shown, and unfolds', () => {
    render(<Card record={record({ outcomes: outcomes(32, { outcomes: 68, count: 400, share: 0.1 }) })} />);
    expect(screen.getAllByRole('row')).toHaveLength(1 + 8);
    expect(body()).toContain('92 more outcomes');
    fireEvent.click(screen.getByRole('button', { name: 'Show 32' }));
    expect(screen.getAllByRole('row')).toHaveLength(1 + 32);
    expect(body()).toContain('68 more outcomes, 10.0 % together.');
  });

  it('says fidelity as an interval with its level, cost with its source, quota in words', () => {
    render(<Card record={record()} />);
    expect(body()).toContain('0.951 – 0.965');
    expect(body()).toContain('$0.00 local simulation is free');
    expect(body()).toContain('Quota · shots today');
    expect(body()).toContain('121,904 of 1,000,000 used');
  });

  it('gives no figure where none can be claimed, and says why', () => {
    const fidelity = { value: null, low: null, high: null, level: 0.95, reason: 'The ideal outcomes are uniform; this is normal.' };
    render(<Card record={record({ fidelity })} />);
    expect(body()).toContain('Not measurable here');
    expect(body()).toContain('this is normal');
  });

  it('never says that an unknown price is zero', () => {
    render(<Card record={record({ cost: null, quote: { currency: 'USD', low: null, high: null } })} />);
    expect(body()).toContain('unknown');
    expect(body()).not.toContain('$0');
  });

  it('gives all reasons of a refusal with fix, rule and owner', () => {
    const reasons = ['one', 'two', 'three'].map(word => ({ message: `Because ${word}.`, fix: `Fix ${word}.`, rule: `limit.${word}`, owner: 'finance' }));
    render(<Card record={record({ status: 'denied', decision: { effect: 'deny', reasons, policy: 'team', policy_version: 'sha256:77ab' } })} />);
    expect(screen.getAllByRole('listitem').filter(item => item.textContent?.includes('Because'))).toHaveLength(3);
    expect(body()).toContain('Fix two. Rule limit.two, owner finance.');
    expect(body()).toContain('nothing was sent, nothing was spent');
    expect(body()).toContain('Decided by team@77ab');
  });

  it('draws markup in a record as text', () => {
    render(<Card record={record({ name: '<img src=x onerror=alert(1)>', notes: ['<script>1</script>'] })} />);
    expect(document.querySelector('img, script')).toBeNull();
    expect(body()).toContain('<img src=x onerror=alert(1)>');
  });

  it('lets one choose among several circuits', () => {
    const results = ['first', 'second'].map((name, index) => ({ circuit: { name }, outcomes: outcomes(2 + index), fidelity: null }));
    render(<Card record={record({ results })} />);
    fireEvent.change(screen.getByLabelText('Circuit'), { target: { value: '1' } });
    expect(screen.getAllByRole('row')).toHaveLength(1 + 3);
    expect(body()).toContain('2 circuits × 4,096 shots');
  });

  it('describes the circuit that was chosen, not the first', () => {
    const results = ['first', 'grover'].map((name, index) => ({ circuit: { name, fingerprint: `sha256:${index}`, qubits: 2 + index } }));
    render(<Card record={record({ results })} />);
    const details = () => screen.getByText(/^Circuit \d of 2$/).closest('details')?.textContent;
    expect(details()).toMatch(/^Circuit 1 of 2Namefirst/);
    fireEvent.change(screen.getByLabelText('Circuit'), { target: { value: '1' } });
    expect(details()).toMatch(/^Circuit 2 of 2Namegrover.*Qubits3.*sha256:1/);
  });

  it('keeps every bit of a long key in the page and in its name', () => {
    const key = `1${'0'.repeat(98)}1`;
    const [shown] = outcomes(1).shown as object[];
    render(<Card record={record({ outcomes: { ...outcomes(1), shown: [{ ...shown, key }] } })} />);
    expect(screen.getByRole('rowheader', { name: key }).textContent).toBe(key);
  });
});

describe('the card of an open job', () => {
  const running = { status: 'running', outcomes: null, fidelity: null, cost: null, progress: { done: 512, total: 4096, unit: 'shots', message: 'simulating' } };

  it('keeps a place for the fidelity that is to come', () => {
    render(<Card record={record(running)} />);
    expect(body()).toContain('Outcome fidelityfollows with the result');
  });

  it('fills in from the ledger, kernel or not', async () => {
    const server = new FakeServer();
    const saved = record(running);
    server.records.set(saved.jobId, saved);
    render(<LiveCard saved={saved} client={server} />);
    expect(body()).toContain('512 of 4,096 shots · simulating');
    server.records.set(saved.jobId, record());
    server.push({ type: 'changed', jobs: [saved.jobId], more: false });
    await screen.findByText('Completed');
    await waitFor(() => expect(server.listening).toBe(0));
  });

  it('leaves other jobs alone', async () => {
    const server = new FakeServer();
    const saved = record(running);
    server.records.set(saved.jobId, saved);
    render(<LiveCard saved={saved} client={server} />);
    await screen.findByRole('button', { name: 'Cancel ghz5' });
    server.records.set(saved.jobId, record());
    server.push({ type: 'changed', jobs: ['another'], more: false });
    await Promise.resolve();
    expect(screen.queryByText('Completed')).toBeNull();
  });

  it('is drawn as saved, without Cancel, when this server does not know the job', async () => {
    render(<LiveCard saved={record(running)} client={new FakeServer()} />);
    await screen.findByText(/As saved: the ledger of this server does not know this job/);
    expect(screen.queryByRole('button', { name: 'Cancel ghz5' })).toBeNull();
  });

  it('is cancelled once, and the button says so', async () => {
    const server = new FakeServer();
    const saved = record(running);
    server.records.set(saved.jobId, saved);
    render(<LiveCard saved={saved} client={server} />);
    fireEvent.click(await screen.findByRole('button', { name: 'Cancel ghz5' }));
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Cancel ghz5' });
    expect([button.disabled, button.textContent]).toEqual([true, 'Cancelling…']);
    expect(server.cancelled).toEqual([saved.jobId]);
  });

  it('says why it cannot be cancelled and lets one try again', async () => {
    const server = new FakeServer();
    const saved = record(running);
    server.records.set(saved.jobId, saved);
    render(<LiveCard saved={saved} client={server} />);
    const button = await screen.findByRole<HTMLButtonElement>('button', { name: 'Cancel ghz5' });
    server.failure = new ApiError('The job has ended.', 'Nothing to cancel.', 409);
    fireEvent.click(button);
    expect((await screen.findByRole('alert')).textContent).toBe('The job has ended. Nothing to cancel.');
    expect(button.disabled).toBe(false);
  });

  it('never goes back from an ended record to an open one', () => {
    expect(freshest(record(), record(running)).status).toBe('completed');
    expect(freshest(record(running), record()).status).toBe('completed');
  });

  it('keeps the progress that only the kernel knows', () => {
    expect(freshest(record(running), record({ ...running, progress: null })).progress?.done).toBe(512);
  });

  it('asks the server nothing about a job that has ended', () => {
    const server = new FakeServer();
    render(<LiveCard saved={record()} client={server} />);
    expect(server.listening).toBe(0);
  });
});
