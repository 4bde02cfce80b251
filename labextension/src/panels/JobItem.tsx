import type { JobRow } from '../api';
import { CancelButton } from '../cancel';
import { ago, count, counted, interval, moment, money } from '../format';
import { isOpen } from '../record';
import { stateWord } from '../words';

export interface JobItemProps {
  row: JobRow;
  now: number;
  open: (jobId: string, name: string) => void;
  cancel: () => Promise<void>;
}

/** One job of the list: a button that opens its card, and Cancel beside it while it is open. */
export function JobItem({ row, now, open, cancel }: JobItemProps) {
  const [word, tone] = stateWord(row.status, row.passed);
  const time = row.endedAt || row.createdAt;
  return (
    <li className="qpm-Item">
      <button type="button" className="qpm-Item-main" title={`Open the card of ${row.name}`} onClick={() => open(row.jobId, row.name)}>
        <span className={`qpm-Dot qpm-${tone}`} aria-hidden="true" />
        <span className="qpm-Item-words">
          <b>{row.name}</b> <span className={`qpm-${tone}`}>{word.toLowerCase()}</span>
          <span className="qpm-quiet qpm-num qpm-Item-detail">{detail(row)}</span>
        </span>
        <time className="qpm-quiet qpm-num" dateTime={time} title={time && moment(time)}>
          {ago(time, now)}
        </time>
      </button>
      {isOpen(row.status) && <CancelButton name={row.name} requested={row.cancelRequested} cancel={cancel} />}
    </li>
  );
}

function detail(row: JobRow): string {
  return [
    row.backend,
    row.circuits > 1 && row.shots !== null ? `${count(row.circuits)} × ${counted(row.shots, 'shot')}` : '',
    row.status === 'denied' && row.reasons > 0 ? counted(row.reasons, 'reason') : '',
    row.fidelity ? `F ${interval(row.fidelity.low, row.fidelity.high).replace(/ /g, '')}` : '',
    row.cost ? money(row.cost.amount, row.cost.currency) : '',
    row.error
  ]
    .filter(Boolean)
    .join(' · ');
}
