import { useCallback, useEffect, useState } from 'react';

import type { Client } from '../client';
import { type Trouble, TroubleNotice, troubleOf } from '../panels/notices';
import type { JobRecord } from '../record';
import { LiveCard } from './LiveCard';

/** The card of a job known by its id alone. */
export function JobPage({ client, jobId }: { client: Client; jobId: string }) {
  const [record, setRecord] = useState<JobRecord | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const read = useCallback(() => {
    setTrouble(null);
    client.api.job(jobId).then(setRecord, (error: unknown) => setTrouble(troubleOf(error)));
  }, [client, jobId]);
  useEffect(read, [read]);
  if (trouble) {
    return <TroubleNotice trouble={trouble} retry={read} />;
  }
  return record ? <LiveCard saved={record} client={client} /> : <p className="qpm-Notice qpm-quiet">Loading …</p>;
}
