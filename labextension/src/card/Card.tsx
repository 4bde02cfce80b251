import { useState, type ReactNode } from 'react';

import type { Settlement } from '../api';
import { CancelButton } from '../cancel';
import { counted, duration, count } from '../format';
import type { JobRecord, Result } from '../record';
import { isOpen } from '../record';
import { fallbackWords } from '../route';
import { FLAGGED, stateWord, verdictWord } from '../words';
import { Settle } from '../settle';
import { notSent } from '../vendor';
import { Sign } from './CautionLine';
import { Facts, PlaceFact } from './Facts';
import { Footer } from './Footer';
import { Next, type RunAgain } from './Next';
import { OutcomeTable } from './Outcomes';
import { RunProgress } from './RunProgress';
import { SweepChart } from './SweepChart';
import { Verdict } from './Verdict';
import { Why } from './Why';

export interface CardProps {
  record: JobRecord;
  /** A quiet line under the head, for example that the record is the saved one. */
  note?: string;
  /** Given only for a job that the server knows to be open. */
  cancel?: () => Promise<void>;
  /** Given only for a job that the server knows to be parked. */
  settle?: (known: Settlement) => Promise<void>;
  runAgain?: RunAgain;
}

/** A job's card: the answer first, then outcomes and facts, one next step, provenance last and quiet. */
export function Card({ record, note, cancel, settle, runAgain }: CardProps) {
  const [word] = stateOf(record);
  const [index, choose] = useState(0);
  const chosen = Math.min(index, record.results.length - 1);
  return (
    <section className={`qpm-Card qpm-is-${record.status}`} aria-label={`Quantum job ${record.name}: ${word}`}>
      <Head record={record}>
        {cancel && <CancelButton name={record.name} requested={false} cancel={cancel} />}
      </Head>
      {note && <p className="qpm-Card-note qpm-quiet">{note}</p>}
      {record.fallback && <p className="qpm-Card-note qpm-warn">{fallbackWords(record.fallback)}</p>}
      <Why record={record} />
      {settle && record.parked && <Settle name={record.name} parked={record.parked} settle={settle} />}
      <Verdict record={record} />
      <Body record={record} chosen={chosen} choose={choose} />
      {notSent(record.status) && !hasBody(record) && record.place && (
        <div className="qpm-Card-place">
          <PlaceFact record={record} />
        </div>
      )}
      <Next record={record} runAgain={runAgain} />
      <Footer record={record} chosen={chosen} />
    </section>
  );
}

function stateOf({ status, validation }: JobRecord): [string, string] {
  return stateWord(status, validation?.passed ?? null);
}

function Head({ record, children }: { record: JobRecord; children: ReactNode }) {
  const [word, tone] = stateOf(record);
  const verdict = verdictOf(record);
  return (
    <header className="qpm-Card-head">
      <strong className={`qpm-${tone}`} role="status">
        {tone === 'held' && <Sign symbol="‖" tone={tone} />}
        {word}
      </strong>
      <b>{record.name}</b>
      {verdict && <span className={`qpm-${verdict[1]}`}>{verdict[0]}</span>}
      <span className="qpm-quiet qpm-num">{where(record)}</span>
      <span className="qpm-Card-aside qpm-quiet">{aside(record)}</span>
      {children}
    </header>
  );
}

/** What the rules said of a dry run; of a job that its fidelity has a red flag. */
function verdictOf({ status, decision, results }: JobRecord): [string, string] | null {
  if (status === 'dry_run') {
    return verdictWord(decision?.effect ?? '');
  }
  return results.some(result => result.fidelity?.flag === 'red') ? FLAGGED : null;
}

function where(record: JobRecord): string {
  const shots = record.shots === null ? '' : counted(record.shots, 'shot');
  return [
    record.backend,
    [manyOf(record), shots].filter(Boolean).join(' × '),
    record.runSeconds === null ? '' : duration(record.runSeconds)
  ]
    .filter(Boolean)
    .join(' · ');
}

/** How many circuits or, in a sweep, points; empty for a job of one. */
function manyOf({ results }: JobRecord): string {
  if (results.length > 1) {
    return counted(results.length, 'circuit');
  }
  const points = results[0]?.sweep?.points ?? results[0]?.circuit?.points ?? 1;
  return results[0]?.sweep || points > 1 ? counted(points, 'point') : '';
}

function aside(record: JobRecord): string {
  switch (record.status) {
    case 'denied':
    case 'dry_run':
      return 'nothing was sent, nothing was spent';
    case 'awaiting_approval':
      return 'nothing was sent, nothing was spent so far';
    default:
      return [record.experiment && `experiment ${record.experiment}`, record.session && `session ${record.session}`].filter(Boolean).join(' · ');
  }
}

const WITHOUT_BODY = ['denied', 'failed', 'cancelled', 'parked', 'awaiting_approval'];
const ENDED_EARLY = ['failed', 'cancelled'];

/** A sweep that ended early has what was done; any other job that did not complete has nothing to draw. */
function hasBody({ status, results }: JobRecord): boolean {
  return !WITHOUT_BODY.includes(status) || (ENDED_EARLY.includes(status) && results.some(result => (result.sweep?.done ?? 0) > 0));
}

interface BodyProps {
  record: JobRecord;
  /** Which of the job's circuits is shown. */
  chosen: number;
  choose: (index: number) => void;
}

function Body({ record, chosen, choose }: BodyProps) {
  if (!hasBody(record)) {
    return null;
  }
  const result = record.results[chosen];
  return (
    <div className="qpm-Card-body">
      {record.status !== 'dry_run' && (
        <div>
          {record.results.length > 1 && <Choice results={record.results} chosen={chosen} choose={choose} />}
          <Drawing key={chosen} record={record} result={result} />
        </div>
      )}
      <Facts record={record} fidelity={result?.fidelity ?? null} />
    </div>
  );
}

/** What was measured, or how far it is; a sweep shows both while it runs. */
function Drawing({ record, result }: { record: JobRecord; result: Result | undefined }) {
  const open = isOpen(record.status);
  if (result?.sweep) {
    return (
      <SweepChart sweep={result.sweep} status={record.results.length > 1 ? '' : record.status}>
        {open && <RunProgress record={record} brief />}
      </SweepChart>
    );
  }
  if (open) {
    return <RunProgress record={record} />;
  }
  return result?.outcomes ? <OutcomeTable outcomes={result.outcomes} /> : null;
}

/** The arrow keys are the list's: JupyterLab would move to another cell. */
function Choice({ results, chosen, choose }: Omit<BodyProps, 'record'> & { results: Result[] }) {
  return (
    <label className="qpm-Choice">
      Circuit{' '}
      <select className="qpm-Field" data-lm-suppress-shortcuts value={chosen} onChange={event => choose(Number(event.target.value))}>
        {results.map((result, index) => (
          <option key={index} value={index}>
            {`${index + 1} of ${count(results.length)}: ${result.circuit?.name || 'unnamed'}`}
          </option>
        ))}
      </select>
    </label>
  );
}
