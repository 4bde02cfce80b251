import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';

import type { Settlement } from './api';
import { explain } from './cancel';
import type { Parked } from './vendor';

export interface SettleProps {
  /** Name of the job, for a screen reader that hears only the buttons. */
  name: string;
  parked: Parked;
  settle: (known: Settlement) => Promise<void>;
}

type Open = 'has it' | 'has it not' | null;

/** What a person can say of a parked job. Whatever cannot be taken back is asked about first. */
export function Settle({ name, parked, settle }: SettleProps) {
  const [open, setOpen] = useState<Open>(null);
  const { tell, busy, failure, said } = useSettling(settle);
  const opener = useRef<HTMLButtonElement | null>(null);
  const vendor = parked.vendor || 'The vendor';
  const close = () => {
    setOpen(null);
    opener.current?.focus();
  };
  const choose = (what: Open) => (event: { currentTarget: HTMLButtonElement }) => {
    opener.current = event.currentTarget;
    setOpen(open === what ? null : what);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      close();
    }
  };
  return (
    <div className="qpm-Settle" role="group" aria-label={`What became of ${name}`} data-lm-suppress-shortcuts onKeyDown={keys}>
      <div className="qpm-Settle-choices">
        {parked.unclear && (
          <>
            <Choice words={`${vendor} has it …`} job={name} open={open === 'has it'} busy={busy} click={choose('has it')} />
            <Choice words={`${vendor} does not have it …`} job={name} open={open === 'has it not'} busy={busy} click={choose('has it not')} />
          </>
        )}
        <Choice words={parked.vendor ? `Ask ${parked.vendor} again` : 'Ask again'} job={name} busy={busy} click={() => void tell('ask again')} />
      </div>
      {open === 'has it' && <HasIt vendor={vendor} busy={busy} tell={tell} close={close} />}
      {open === 'has it not' && <HasItNot vendor={vendor} busy={busy} tell={tell} close={close} />}
      {failure && (
        <p className="qpm-bad" role="alert">
          {failure}
        </p>
      )}
      <span className="qpm-quiet" role="status">
        {said}
      </span>
    </div>
  );
}

/** What was said is shown until the ledger tells of it. */
function useSettling(settle: SettleProps['settle']) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const [said, say] = useState('');
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const tell = async (known: Settlement) => {
    setBusy(true);
    setFailure('');
    say('Working …');
    const trouble = await settle(known).then(() => '', explain);
    if (here.current) {
      setBusy(false);
      setFailure(trouble);
      say(trouble ? '' : 'Recorded.');
    }
  };
  return { tell, busy, failure, said };
}

interface ChoiceProps {
  words: string;
  job: string;
  /** Whether the question below is open; undefined for a choice that asks none. */
  open?: boolean;
  busy: boolean;
  click: (event: { currentTarget: HTMLButtonElement }) => void;
}

function Choice({ words, job, open, busy, click }: ChoiceProps) {
  return (
    <button type="button" className="qpm-Button" aria-expanded={open} aria-label={`${words.replace(' …', '')}: ${job}`} disabled={busy} onClick={click}>
      {words}
    </button>
  );
}

interface QuestionProps {
  vendor: string;
  busy: boolean;
  tell: (known: Settlement) => Promise<void>;
  close: () => void;
}

function HasIt({ vendor, busy, tell, close }: QuestionProps) {
  const [id, setId] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (id.trim()) {
      void tell({ vendorId: id.trim() });
    }
  };
  return (
    <form className="qpm-Question" onSubmit={submit}>
      <label>
        {`Its id at ${vendor}, as ${vendor}’s own page of jobs shows it`}
        <input className="qpm-Field" autoFocus spellCheck={false} autoComplete="off" maxLength={300} value={id} onChange={event => setId(event.target.value)} />
      </label>
      <p className="qpm-quiet">The job then goes on under this id, and its result is read as soon as it is there.</p>
      <div className="qpm-Settle-choices">
        <button type="submit" className="qpm-Button qpm-is-main" disabled={busy || !id.trim()}>
          Follow this job
        </button>
        <button type="button" className="qpm-Button" onClick={close}>
          Back
        </button>
      </div>
    </form>
  );
}

/** The safe answer has the focus: Enter by mistake changes nothing. */
function HasItNot({ vendor, busy, tell, close }: QuestionProps) {
  return (
    <div className="qpm-Question" role="alertdialog" aria-label={`${vendor} does not have it`}>
      <p>
        <b>Look at {vendor}’s own page of jobs first.</b> The job is closed as failed and what it holds is released. If {vendor} has it after all, it
        runs and is billed there, and nobody here counts it. This cannot be taken back.
      </p>
      <div className="qpm-Settle-choices">
        <button type="button" className="qpm-Button" autoFocus onClick={close}>
          Back
        </button>
        <button type="button" className="qpm-Button qpm-is-grave" disabled={busy} onClick={() => void tell('not submitted')}>
          {`I looked: ${vendor} does not have it`}
        </button>
      </div>
    </div>
  );
}
