import { useEffect, useRef, useState } from 'react';

import { ApiError } from './api';

export interface CancelProps {
  /** Name of the job, for a screen reader that hears only the button. */
  name: string;
  /** True when the ledger already holds the wish. */
  requested: boolean;
  cancel: () => Promise<void>;
}

/** Asks for a job to be stopped; the job's own process does it, so the button only says that it was asked. */
export function CancelButton({ name, requested, cancel }: CancelProps) {
  const [asked, setAsked] = useState(false);
  const [failure, setFailure] = useState('');
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const ask = async () => {
    setAsked(true);
    setFailure('');
    try {
      await cancel();
    } catch (error) {
      if (here.current) {
        setAsked(false);
        setFailure(explain(error));
      }
    }
  };
  const waiting = asked || requested;
  return (
    <span className="qpm-Cancel">
      <button type="button" className="qpm-Button" disabled={waiting} aria-label={`Cancel ${name}`} onClick={ask}>
        {waiting ? 'Cancelling…' : 'Cancel'}
      </button>
      {failure && (
        <span className="qpm-bad" role="alert">
          {failure}
        </span>
      )}
    </span>
  );
}

export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    return `${error.message} ${error.hint}`.trim();
  }
  return error instanceof Error ? error.message : String(error);
}
