/** What the Jobs panel shows and how it changes; knows nothing of React. */

import type { JobFilter, JobPage, JobRow } from '../api';
import type { Client } from '../client';
import type { LedgerEvent } from '../events';
import { type Trouble, troubleOf } from './notices';

export interface HistoryState {
  rows: JobRow[];
  more: boolean;
  open: number;
  /** Of the open jobs those that wait for a person. */
  parked: number;
  filter: JobFilter;
  /** False until the first answer, so that an empty ledger is not told from a slow one. */
  loaded: boolean;
  loadingOlder: boolean;
  lost: boolean;
  trouble: Trouble | null;
}

export const NO_FILTER: JobFilter = { state: '', experiment: '', text: '' };

export class JobHistory {
  state: HistoryState = {
    rows: [],
    more: false,
    open: 0,
    parked: 0,
    filter: NO_FILTER,
    loaded: false,
    loadingOlder: false,
    lost: false,
    trouble: null
  };
  /** Raised by each new question, so that a late answer to an old one is dropped. */
  private question = 0;

  constructor(
    private readonly client: Client,
    private readonly changed: (state: HistoryState) => void
  ) {}

  /** Fills the list and keeps it current; returns the function that stops this. */
  start(): () => void {
    void this.refresh();
    const unsubscribe = this.client.events.subscribe(event => void this.hear(event));
    return () => {
      this.question++;
      unsubscribe();
    };
  }

  async setFilter(filter: JobFilter): Promise<void> {
    this.put({ filter, rows: [], more: false, loaded: false });
    await this.refresh();
  }

  /** Reads the newest page again; rows further down stay as they are. */
  async refresh(): Promise<void> {
    const question = ++this.question;
    try {
      const page = await this.client.api.page(this.state.filter);
      if (question === this.question) {
        const { open, parked } = page;
        this.put({ ...this.merge(page), open, parked, loaded: true, trouble: null });
      }
    } catch (error) {
      if (question === this.question) {
        this.put({ trouble: troubleOf(error), loaded: true });
      }
    }
  }

  async loadOlder(): Promise<void> {
    const last = this.state.rows.at(-1);
    if (!last || !this.state.more || this.state.loadingOlder) {
      return;
    }
    const { filter } = this.state;
    this.put({ loadingOlder: true });
    try {
      const page = await this.client.api.page(filter, last.jobId);
      if (filter === this.state.filter) {
        const known = new Set(this.state.rows.map(row => row.jobId));
        const older = page.rows.filter(row => !known.has(row.jobId));
        this.put({ rows: [...this.state.rows, ...older], more: page.more });
      }
    } catch (error) {
      this.put({ trouble: troubleOf(error) });
    } finally {
      this.put({ loadingOlder: false });
    }
  }

  private async hear(event: LedgerEvent): Promise<void> {
    switch (event.type) {
      case 'lost':
        return this.put({ lost: true });
      case 'error':
        return this.put({ lost: false, loaded: true, trouble: { message: event.message, hint: event.hint } });
      case 'ready':
        this.put({ lost: false });
        return this.refresh();
      case 'changed':
        await this.refresh();
        return this.refreshOlder(event.jobs);
    }
  }

  /** The newest page replaces what it covers; without a gap the rows below it are kept. */
  private merge(page: JobPage): Pick<HistoryState, 'rows' | 'more'> {
    const last = page.rows.at(-1);
    const edge = last && page.more ? this.state.rows.findIndex(row => row.jobId === last.jobId) : -1;
    return edge < 0
      ? { rows: page.rows, more: page.more }
      : { rows: [...page.rows, ...this.state.rows.slice(edge + 1)], more: this.state.more };
  }

  /** Rows beyond the newest page that changed are asked for one by one, each by the key of the row above it. */
  private async refreshOlder(changed: string[]): Promise<void> {
    const { rows, filter } = this.state;
    const stale = rows.slice(50).filter(row => changed.includes(row.jobId));
    for (const row of stale) {
      const above = rows[rows.indexOf(row) - 1];
      const page = await this.client.api.page(filter, above?.jobId, 1).catch(() => null);
      const fresh = page?.rows.find(found => found.jobId === row.jobId);
      if (filter === this.state.filter && fresh) {
        this.put({ rows: this.state.rows.map(old => (old.jobId === fresh.jobId ? fresh : old)) });
      }
    }
  }

  private put(change: Partial<HistoryState>): void {
    this.state = { ...this.state, ...change };
    this.changed(this.state);
  }
}
