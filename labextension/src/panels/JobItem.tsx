import type { JobRow, Settlement } from '../api';
import { CancelButton } from '../cancel';
import { ago, count, counted, interval, moment, money } from '../format';
import { isOpen } from '../record';
import { Settle } from '../settle';
import { asked, askedAt } from '../vendor';
import { stateWord } from '../words';

export interface JobItemProps {
  row: JobRow;
  now: number;
  open: (jobId: string, name: string) => void;
  cancel: () => Promise<void>;
  settle: (known: Settlement) => Promise<void>;
}

/** One job of the list: a button that opens its card, and Cancel beside it while it is open. */
export function JobItem({ row, now, open, cancel, settle }: JobItemProps) {
  const [word, tone] = stateWord(row.status, row.passed);
  const time = row.endedAt || row.createdAt;
  return (
    <li className="qpm-Item">
      <button type="button" className="qpm-Item-main" title={`Open the card of ${row.name}`} onClick={() => open(row.jobId, row.name)}>
        <span className={`qpm-Dot qpm-${tone} qpm-is-${tone}`} aria-hidden="true" />
        <span className="qpm-Item-words">
          <b>{row.name}</b> <span className={`qpm-${tone} qpm-num`}>{stands(row) || word.toLowerCase()}</span>
          <span className="qpm-quiet qpm-num qpm-Item-detail" title={askedAt(row.standing) || undefined}>
            {detail(row, now)}
          </span>
        </span>
        {!row.standing && (
          <time className="qpm-quiet qpm-num" dateTime={time} title={time && moment(time)}>
            {ago(time, now)}
          </time>
        )}
      </button>
      {isOpen(row.status) && !row.parked && <CancelButton name={row.name} requested={row.cancelRequested} cancel={cancel} />}
      {row.parked && (
        <div className="qpm-Item-parked">
          <p>
            <b>{row.parked.message}</b>
          </p>
          <p className="qpm-quiet">{row.parked.hint}</p>
          <Settle name={row.name} parked={row.parked} settle={settle} />
        </div>
      )}
    </li>
  );
}

function detail(row: JobRow, now: number): string {
  return [
    row.backend,
    row.parked ? '' : atVendor(row, now),
    row.circuits > 1 && row.shots !== null ? `${count(row.circuits)} × ${counted(row.shots, 'shot')}` : '',
    row.status === 'denied' && row.reasons > 0 ? counted(row.reasons, 'reason') : '',
    row.fidelity ? `F ${interval(row.fidelity.low, row.fidelity.high).replace(/ /g, '')}` : '',
    row.cost ? money(row.cost.amount, row.cost.currency) : '',
    row.error
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The state with the vendor's name and its place in the queue: 'queued at IonQ, 3 before it'. */
function stands({ standing }: JobRow): string {
  return standing?.message.startsWith(standing.state) ? standing.message : '';
}

/** What else was said when the vendor was asked, for example that it does not answer, and how long ago that is. */
function atVendor(row: JobRow, now: number): string {
  const words = stands(row) ? '' : (row.standing?.message ?? '');
  return [words, asked(row.standing, now)].filter(Boolean).join(' · ');
}
