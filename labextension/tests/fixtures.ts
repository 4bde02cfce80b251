/** A ledger of a few jobs by hand, and a record as docs/record.md has it. */

import { ApiError, type Api, type JobFilter, type JobRow, type Settlement } from '../src/api';
import type { LedgerEvent, Listener } from '../src/events';
import { isOpen, type JobRecord, type QuotaLine, readQuota, readRecord } from '../src/record';
import type { Provider } from '../src/vendor';

export function document(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    schema: 1,
    job_id: '01JDABCDEFGHIJKL',
    name: 'ghz5',
    status: 'completed',
    backend: 'aer/noisy',
    shots: 4096,
    seed: 7,
    circuit: { fingerprint: 'sha256:ab12cd34ef', name: 'ghz5', qubits: 5, clbits: 5, depth: 6, gates: { h: 1, cx: 4 }, two_qubit_gates: 4 },
    labels: { experiment: 'bell-family' },
    principal: { user: 'ada' },
    times: { submitted_at: '2026-11-22T12:00:00Z', started_at: '2026-11-22T12:00:00Z', ended_at: '2026-11-22T12:00:01Z', run_seconds: 0.41 },
    decision: { effect: 'allow', reasons: [], policy: 'personal', policy_version: 'sha256:9c41ffff' },
    quote: { currency: 'USD', low: '0', expected: '0', high: '0', source: 'local simulation is free', as_of: '2026-07-23', stale: false },
    cost: { currency: 'USD', amount: '0', basis: 'quoted' },
    outcomes: outcomes(16),
    fidelity: { value: 0.958, low: 0.951, high: 0.965, level: 0.95, estimand: 'heavy-set', method: 'Clopper–Pearson', shots: 4096, reason: null },
    results: [],
    quota: [quotaDocument()],
    ledger: { entry: 7, digest: 'sha256:4be1d00d' },
    notes: ['The circuit had no measurement, so all 5 qubits were measured.'],
    error: null,
    progress: null,
    next: { text: 'Run it again.', command: '%%qjob --experiment bell-family' },
    ...change
  };
}

export function outcomes(many: number, hidden = { outcomes: 0, count: 0, share: 0 }): Record<string, unknown> {
  const shown = Array.from({ length: many }, (_, index) => ({
    key: index.toString(2).padStart(5, '0'),
    count: 200 - index,
    share: (200 - index) / 4096,
    low: 0.01,
    high: 0.06
  }));
  return { level: 0.95, method: 'exact', total: many + hidden.outcomes, shown, hidden };
}

export function quotaDocument(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    quota: 'shots-per-day',
    measure: 'shots',
    scope: 'user',
    key: 'ada',
    window: 'day',
    unit: 'shots',
    limit: '1000000',
    used: '121904',
    reserved: '0',
    left: '878096',
    renews_at: '2026-11-23T00:00:00Z',
    owner: 'lab',
    ...change
  };
}

export function record(change: Record<string, unknown> = {}): JobRecord {
  const found = readRecord(document(change));
  if (!found) {
    throw new Error('the fixture is not a record');
  }
  return found;
}

export function row(jobId: string, change: Partial<JobRow> = {}): JobRow {
  return {
    jobId,
    name: `job ${jobId}`,
    status: 'completed',
    backend: 'aer/noisy',
    experiment: '',
    shots: 4096,
    circuits: 1,
    createdAt: '2026-11-22T12:00:00Z',
    endedAt: '2026-11-22T12:00:01Z',
    cost: { currency: 'USD', amount: '0', basis: '' },
    fidelity: { low: 0.951, high: 0.965 },
    reasons: 0,
    error: '',
    cancelRequested: false,
    passed: null,
    standing: null,
    parked: null,
    ...change
  };
}

/** A server with rows newest first; counts what it is asked. */
export class FakeServer implements Api {
  rows: JobRow[] = [];
  records = new Map<string, JobRecord>();
  quota: QuotaLine[] = [readQuota(quotaDocument())];
  cancelled: string[] = [];
  settled: [string, Settlement][] = [];
  providers: Provider[] = [];
  vendorsAsked = false;
  asked: { filter: JobFilter; before: string; limit: number }[] = [];
  failure: ApiError | null = null;
  private readonly listeners = new Set<Listener>();

  readonly events = {
    subscribe: (listener: Listener) => {
      this.listeners.add(listener);
      return () => void this.listeners.delete(listener);
    }
  };

  get api(): Api {
    return this;
  }

  get listening(): number {
    return this.listeners.size;
  }

  push(event: LedgerEvent): void {
    this.listeners.forEach(listener => listener(event));
  }

  async page(filter: JobFilter, before = '', limit = 50) {
    this.asked.push({ filter, before, limit });
    this.check();
    const fitting = this.rows.filter(found => (!filter.state || found.status === filter.state) && found.name.includes(filter.text));
    const start = before ? fitting.findIndex(found => found.jobId === before) + 1 : 0;
    const rows = fitting.slice(start, start + limit);
    const open = this.rows.filter(found => isOpen(found.status)).length;
    const parked = this.rows.filter(found => found.status === 'parked').length;
    return { rows, more: start + rows.length < fitting.length, open, parked };
  }

  async job(jobId: string) {
    this.check();
    const found = this.records.get(jobId);
    if (!found) {
      throw new ApiError(`There is no job ${jobId}.`, 'See qpm jobs.', 404);
    }
    return found;
  }

  async cancel(jobId: string) {
    this.check();
    this.cancelled.push(jobId);
  }

  async settle(jobId: string, known: Settlement) {
    this.check();
    this.settled.push([jobId, known]);
  }

  async backends(live = false) {
    this.check();
    this.vendorsAsked = live;
    return this.providers;
  }

  async budgets() {
    this.check();
    return this.quota;
  }

  private check(): void {
    if (this.failure) {
      throw this.failure;
    }
  }
}
