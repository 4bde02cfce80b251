import { useEffect, useState } from 'react';

import { ApiError, type Settlement } from '../api';
import type { Client } from '../client';
import { isOpen, type JobRecord, type Progress, type Result } from '../record';
import { Card } from './Card';
import type { RunAgain } from './Next';

export interface LiveCardProps {
  /** The record as the cell's output holds it. */
  saved: JobRecord;
  client: Client;
  runAgain?: RunAgain;
}

/** The card of a job that may still be open: it fills in from the ledger, with or without its kernel. */
export function LiveCard({ saved, client, runAgain }: LiveCardProps) {
  const [fetched, setFetched] = useState<JobRecord | null>(null);
  const [note, setNote] = useState('');
  const known = fetched?.jobId === saved.jobId ? fetched : null;
  const record = freshest(saved, known);
  const open = isOpen(record.status) && record.jobId !== '';

  useEffect(() => {
    if (!open) {
      return undefined;
    }
    return follow(client, record.jobId, setFetched, setNote);
  }, [client, record.jobId, open]);

  const asks = open && known;
  const cancel = asks && !record.parked ? () => client.api.cancel(record.jobId) : undefined;
  const settle = asks && record.parked ? (told: Settlement) => client.api.settle(record.jobId, told) : undefined;
  return <Card record={record} note={open ? note : ''} cancel={cancel} settle={settle} runAgain={runAgain} />;
}

/** A closed record stays; of two open ones the ledger's, with the progress and points that only the kernel knows. */
export function freshest(saved: JobRecord, fetched: JobRecord | null): JobRecord {
  if (!fetched || !isOpen(saved.status)) {
    return saved;
  }
  const told = furthest(saved, fetched);
  const results = fetched.results.map((result, index) => further(result, saved.results[index]));
  return isOpen(fetched.status) ? { ...fetched, results, progress: told ?? fetched.progress } : fetched;
}

/** Of a job at a vendor the words of whoever asked last: its kernel may have ended since. */
function furthest(saved: JobRecord, fetched: JobRecord): Progress | null {
  const told = fetched.progress && fetched.progress.total > 0 ? fetched.progress : saved.progress;
  const { standing } = fetched;
  return standing && told ? { ...told, message: standing.message } : told;
}

/** The result of which more points are done. */
function further(fetched: Result, saved: Result | undefined): Result {
  return saved?.sweep && saved.sweep.done > (fetched.sweep?.done ?? 0) ? { ...fetched, sweep: saved.sweep } : fetched;
}

type Show = (record: JobRecord) => void;

/** Reads the record now, and again whenever the ledger says that this job changed. */
export function follow(client: Client, jobId: string, show: Show, say: (note: string) => void): () => void {
  let stopped = false;
  const read = async () => {
    try {
      const record = await client.api.job(jobId);
      if (!stopped) {
        say('');
        show(record);
      }
    } catch (error) {
      if (!stopped) {
        say(whySaved(error));
      }
    }
  };
  void read();
  const unsubscribe = client.events.subscribe(event => {
    if (event.type === 'ready' || (event.type === 'changed' && (event.more || event.jobs.includes(jobId)))) {
      void read();
    } else if (event.type === 'lost') {
      say('As last seen: the connection to the server is lost, reconnecting …');
    }
  });
  return () => {
    stopped = true;
    unsubscribe();
  };
}

function whySaved(error: unknown): string {
  if (error instanceof ApiError && error.status === 404) {
    return 'As saved: the ledger of this server does not know this job.';
  }
  return `As saved: ${error instanceof Error ? error.message : 'the server cannot be asked.'}`;
}
