/** The REST routes of `qpm_lab/server/`, typed; every failure is an `ApiError` with message and hint. */

import { type Fields, number, text } from './fields';
import { type Parked, type Provider, readParked, readProviders, readStanding, type Standing } from './vendor';
import { type Cost, type JobRecord, type QuotaLine, readQuota, readRecord } from './record';

export type Send = (path: string, init: RequestInit) => Promise<Response>;

export class ApiError extends Error {
  constructor(
    message: string,
    readonly hint: string,
    readonly status: number
  ) {
    super(message);
  }
}

export interface JobRow {
  jobId: string;
  name: string;
  status: string;
  backend: string;
  experiment: string;
  shots: number | null;
  /** Histograms: more than one for several circuits or a sweep. */
  circuits: number;
  createdAt: string;
  endedAt: string;
  cost: Cost | null;
  fidelity: { low: number; high: number } | null;
  reasons: number;
  error: string;
  cancelRequested: boolean;
  /** Whether it met its conditions; null when it had none. */
  passed: boolean | null;
  standing: Standing | null;
  parked: Parked | null;
}

/** What a person knows of a parked job. */
export type Settlement = { vendorId: string } | 'not submitted' | 'ask again';

export interface JobFilter {
  state: string;
  experiment: string;
  text: string;
}

export interface JobPage {
  rows: JobRow[];
  more: boolean;
  /** How many jobs of this ledger are still open, whatever the filter. */
  open: number;
  /** How many of these wait for a person. */
  parked: number;
}

export interface Api {
  page(filter: JobFilter, before?: string, limit?: number): Promise<JobPage>;
  job(jobId: string): Promise<JobRecord>;
  cancel(jobId: string): Promise<void>;
  /** Says what became of a parked job, or has its vendor asked again. */
  settle(jobId: string, known: Settlement): Promise<void>;
  /** All backends by provider; `live` has the vendors of those that are ready asked. */
  backends(live?: boolean): Promise<Provider[]>;
  budgets(): Promise<QuotaLine[]>;
}

export function makeApi(send: Send): Api {
  return {
    page: async (filter, before = '', limit = 50) => {
      const query = new URLSearchParams({ ...filter, before, limit: String(limit) });
      return readPage(await ask(send, `jobs?${query}`));
    },
    job: async jobId => {
      const record = readRecord(await ask(send, `jobs/${encodeURIComponent(jobId)}`));
      if (!record) {
        throw new ApiError('The server sent a job that cannot be read.', 'Reload the page after an upgrade.', 200);
      }
      return record;
    },
    cancel: async jobId => {
      await ask(send, `jobs/${encodeURIComponent(jobId)}/cancel`, { method: 'POST' });
    },
    settle: async (jobId, known) => {
      const job = `jobs/${encodeURIComponent(jobId)}`;
      if (known === 'ask again') {
        await ask(send, `${job}/resume`, { method: 'POST' });
        return;
      }
      const body = known === 'not submitted' ? { not_submitted: true } : { vendor_id: known.vendorId };
      await ask(send, `${job}/resolve`, { method: 'POST', body: JSON.stringify(body) });
    },
    backends: async (live = false) => {
      const { providers } = await ask(send, `backends${live ? '?live=1' : ''}`);
      if (!Array.isArray(providers)) {
        throw new ApiError('The server sent backends that cannot be read.', 'Reload the page after an upgrade.', 200);
      }
      return readProviders(providers);
    },
    budgets: async () => {
      const { quota } = await ask(send, 'budgets');
      if (!Array.isArray(quota)) {
        throw new ApiError('The server sent budgets that cannot be read.', 'Reload the page after an upgrade.', 200);
      }
      return list(quota).map(readQuota);
    }
  };
}

async function ask(send: Send, path: string, init: RequestInit = {}): Promise<Fields> {
  const response = await send(path, init).catch(() => {
    throw new ApiError('The Jupyter server cannot be reached.', 'Is it still running?', 0);
  });
  const body: unknown = await response.json().catch(() => null);
  const found = typeof body === 'object' && body !== null ? (body as Fields) : {};
  if (!response.ok) {
    throw failure(response.status, found);
  }
  return found;
}

function failure(status: number, body: Fields): ApiError {
  if (status === 404 && !('hint' in body)) {
    const hint = 'Check that `jupyter server extension list` shows qpm_lab.server as OK.';
    return new ApiError('The server does not know qpm_lab.', hint, status);
  }
  return new ApiError(text(body.message) || `The server answered ${status}.`, text(body.hint), status);
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : [];
}

function readPage(body: Fields): JobPage {
  return {
    rows: list(body.jobs).map(readRow),
    more: body.more === true,
    open: number(body.open) ?? 0,
    parked: number(body.parked) ?? 0
  };
}

function readRow(row: Fields): JobRow {
  const cost = row.cost as Fields | null;
  const fidelity = row.fidelity as Fields | null;
  const low = number(fidelity?.low);
  const high = number(fidelity?.high);
  return {
    jobId: text(row.job_id),
    name: text(row.name) || 'unnamed',
    status: text(row.status),
    backend: text(row.backend),
    experiment: text(row.experiment),
    shots: number(row.shots),
    circuits: number(row.circuits) ?? 1,
    createdAt: text(row.created_at),
    endedAt: text(row.ended_at),
    cost: cost && { currency: text(cost.currency), amount: text(cost.amount), basis: '' },
    fidelity: low === null || high === null ? null : { low, high },
    reasons: number(row.reasons) ?? 0,
    error: text(row.error),
    cancelRequested: row.cancel_requested === true,
    passed: row.validation === 'passed' ? true : row.validation === 'failed' ? false : null,
    standing: readStanding(row.standing),
    parked: readParked(row.parked)
  };
}
