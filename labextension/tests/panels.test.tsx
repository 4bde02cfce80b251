import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '../src/api';
import { budgets } from '../src/panels/budgets';
import { jobs } from '../src/panels/jobs';
import { readQuota } from '../src/record';
import { FakeServer, quotaDocument, row } from './fixtures';

let server: FakeServer;
const opened = vi.fn();

beforeEach(() => {
  server = new FakeServer();
  opened.mockReset();
});
afterEach(cleanup);

const showJobs = () => render(<jobs.Component client={server} openJob={opened} />);
const showBudgets = () => render(<budgets.Component client={server} openJob={opened} />);
const body = () => document.body.textContent ?? '';

describe('the Jobs panel', () => {
  it('says how many histograms of how many shots a job has, when they are several', async () => {
    server.rows = [row('A', { circuits: 1000, shots: 1024 }), row('B')];
    showJobs();
    await screen.findByText(/1,000 × 1,024 shots/);
    expect(screen.queryByText(/1 ×/)).toBeNull();
  });

  it('teaches how to begin when there is nothing', async () => {
    showJobs();
    await screen.findByText('No jobs yet');
    expect(body()).toContain('%%qjob');
  });

  it('opens the card of a row from the keyboard or the mouse', async () => {
    server.rows = [row('J1')];
    showJobs();
    fireEvent.click(await screen.findByRole('button', { name: /job J1/ }));
    expect(opened).toHaveBeenCalledWith('J1', 'job J1');
  });

  it('shows a new job when it is told, without being asked', async () => {
    server.rows = [row('J1')];
    showJobs();
    await screen.findByText('job J1');
    server.rows = [row('J2', { status: 'running' }), row('J1')];
    act(() => server.push({ type: 'changed', jobs: ['J2'], more: false }));
    await screen.findByText('job J2');
    expect(body()).toContain('1 running');
  });

  it('tells jobs that wait for a person from those that run, whatever the filter', async () => {
    server.rows = [row('J3', { status: 'parked' }), row('J2', { status: 'queued' }), row('J1')];
    showJobs();
    await screen.findByText('1 running, 1 needs you');
    server.rows = [row('J4', { status: 'parked' }), ...server.rows];
    fireEvent.change(screen.getByLabelText('State'), { target: { value: 'completed' } });
    await screen.findByText('1 running, 2 need you');
  });

  it('says nothing of a person while no job waits for one', async () => {
    server.rows = [row('J1', { status: 'running' })];
    showJobs();
    await screen.findByText('1 running');
  });

  it('asks nothing while nothing happens', async () => {
    vi.useFakeTimers();
    showJobs();
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(server.asked).toHaveLength(1);
    vi.useRealTimers();
  });

  it('loads older rows by the key of the last and keeps them when a new one arrives', async () => {
    server.rows = Array.from({ length: 120 }, (_, index) => row(`J${120 - index}`));
    showJobs();
    fireEvent.click(await screen.findByRole('button', { name: 'Load older' }));
    await screen.findByText('job J21');
    expect(server.asked.at(-1)?.before).toBe('J71');
    server.rows = [row('J121'), ...server.rows];
    act(() => server.push({ type: 'changed', jobs: ['J121'], more: false }));
    await screen.findByText('job J121');
    const names = screen.getAllByText(/^job J/).map(found => found.textContent);
    expect(names).toEqual(Array.from({ length: 101 }, (_, index) => `job J${121 - index}`));
  });

  it('renews an older row that changed', async () => {
    server.rows = Array.from({ length: 80 }, (_, index) => row(`J${80 - index}`, { status: index === 60 ? 'running' : 'completed' }));
    showJobs();
    fireEvent.click(await screen.findByRole('button', { name: 'Load older' }));
    await screen.findByRole('button', { name: 'Cancel job J20' });
    server.rows = server.rows.map(found => (found.jobId === 'J20' ? row('J20') : found));
    act(() => server.push({ type: 'changed', jobs: ['J20'], more: false }));
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Cancel job J20' })).toBeNull());
  });

  it('filters by state, and a late answer to the old filter is dropped', async () => {
    server.rows = [row('J2', { status: 'denied', reasons: 2 }), row('J1')];
    showJobs();
    await screen.findByText('job J1');
    fireEvent.change(screen.getByLabelText('State'), { target: { value: 'denied' } });
    await waitFor(() => expect(screen.queryByText('job J1')).toBeNull());
    expect(body()).toContain('2 reasons');
  });

  it('says that nothing fits a filter instead of teaching the beginning', async () => {
    server.rows = [row('J1')];
    showJobs();
    fireEvent.change(await screen.findByLabelText('State'), { target: { value: 'failed' } });
    await screen.findByText('No job fits this filter.');
  });

  it('shows what went wrong with its hint, and Retry helps', async () => {
    server.failure = new ApiError('The ledger cannot be opened.', 'Look at its permissions.', 503);
    showJobs();
    expect((await screen.findByRole('alert')).textContent).toContain('Look at its permissions.');
    server.failure = null;
    server.rows = [row('J1')];
    fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
    await screen.findByText('job J1');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('says that the connection is lost and catches up when it is back', async () => {
    showJobs();
    await screen.findByText('No jobs yet');
    act(() => server.push({ type: 'lost' }));
    expect(body()).toContain('reconnecting');
    server.rows = [row('J1')];
    act(() => server.push({ type: 'ready' }));
    await screen.findByText('job J1');
    expect(body()).not.toContain('reconnecting');
  });

  it('offers Cancel on open rows only, and says when it was asked elsewhere', async () => {
    server.rows = [row('J3', { status: 'running' }), row('J2', { status: 'queued', cancelRequested: true }), row('J1')];
    showJobs();
    fireEvent.click(await screen.findByRole('button', { name: 'Cancel job J3' }));
    expect(server.cancelled).toEqual(['J3']);
    expect(screen.getByRole('button', { name: 'Cancel job J2' }).textContent).toBe('Cancelling…');
    expect(screen.queryByRole('button', { name: 'Cancel job J1' })).toBeNull();
  });
});

describe('the Budgets panel', () => {
  it('gives used, limit, left and renewal in words', async () => {
    vi.setSystemTime('2026-11-22T12:00:00Z');
    showBudgets();
    await screen.findByText('shots · you, today');
    expect(body()).toContain('121,904 of 1,000,000');
    expect(body()).toContain('878,096 left · renews in 12 h');
    vi.useRealTimers();
  });

  it('warns in words above four fifths, reservations included', async () => {
    server.quota = [readQuota(quotaDocument({ measure: 'cost', unit: 'USD', limit: '50', used: '35', reserved: '6.2', left: '8.8' }))];
    showBudgets();
    await screen.findByText(/almost used up, 82\.4 %/);
    expect(body()).toContain('$6.20 held by running jobs');
  });

  it('says used up when nothing is left', async () => {
    server.quota = [readQuota(quotaDocument({ used: '1000000', left: '0' }))];
    showBudgets();
    await screen.findByText(/used up/);
  });

  it('tells two quotas of the same kind apart by their ids', async () => {
    server.quota = ['jobs-local', 'jobs-vendor'].map(quota => readQuota(quotaDocument({ quota })));
    showBudgets();
    await screen.findByText('jobs-vendor');
    await screen.findByText('jobs-local');
    expect(screen.getAllByText('shots · you, today')).toHaveLength(2);
    screen.getByRole('progressbar', { name: /^shots · you, today, jobs-local: / });
  });

  it('shows no id where the title is enough', async () => {
    showBudgets();
    await screen.findByText('shots · you, today');
    expect(body()).not.toContain('shots-per-day');
  });

  it('puts the limits of an open session first and says when each own limit ends', async () => {
    const own = { renews_at: null, window: 'life' };
    server.quota = [
      readQuota(quotaDocument({ ...own, scope: 'notebook_run', key: '4f1c', measure: 'cost' })),
      readQuota(quotaDocument({ ...own, scope: 'session', key: 'vqe', measure: 'jobs' }))
    ];
    showBudgets();
    await screen.findByText('jobs · session vqe');
    expect(screen.getAllByRole('listitem').map(item => item.querySelector('b')?.textContent)).toEqual([
      'jobs · session vqe',
      'cost · in this notebook'
    ]);
    expect(body()).toContain('ends with the session');
    expect(body()).toContain('renews when the kernel restarts');
  });

  it('says everyone for a quota of the whole organisation', async () => {
    server.quota = [readQuota(quotaDocument({ scope: 'org', key: 'org' }))];
    showBudgets();
    await screen.findByText('shots · everyone, today');
  });

  it('rounds the time until a renewal down', async () => {
    vi.setSystemTime('2026-11-22T14:00:01Z');
    showBudgets();
    await screen.findByText(/renews in 9 h/);
    vi.useRealTimers();
  });

  it('follows the ledger', async () => {
    showBudgets();
    await screen.findByText('121,904 of 1,000,000');
    server.quota = [readQuota(quotaDocument({ used: '126000', left: '874000' }))];
    act(() => server.push({ type: 'changed', jobs: ['J1'], more: false }));
    await screen.findByText('126,000 of 1,000,000');
  });

  it('teaches how to begin when no quota applies', async () => {
    server.quota = [];
    showBudgets();
    await screen.findByText('No quota binds you yet');
  });

  it('shows what went wrong with its hint', async () => {
    server.failure = new ApiError('The policy bundle is broken.', 'Run qpm policy check.', 500);
    showBudgets();
    expect((await screen.findByRole('alert')).textContent).toContain('Run qpm policy check.');
    expect(body()).not.toContain('No quota binds you yet');
  });

  it('says what went wrong when it is told instead of asking', async () => {
    server.quota = [];
    showBudgets();
    await screen.findByText('No quota binds you yet');
    act(() => server.push({ type: 'error', message: 'There is no such bundle.', hint: 'Look at QPM_POLICIES.' }));
    expect((await screen.findByRole('alert')).textContent).toContain('Look at QPM_POLICIES.');
    expect(body()).not.toContain('No quota binds you yet');
  });
});
