import { money } from '../format';
import { BASES } from '../quote';
import type { JobRecord } from '../record';
import { pointsWords } from '../sweep';

/** What a cancelled job is told elsewhere; the card itself shows the cost. */
const SEE_COST = 'See what it cost.';

/** Every reason of the decision, or what went wrong: what, what would make it pass, whose rule it is. */
export function Why({ record }: { record: JobRecord }) {
  const reasons = record.decision?.reasons ?? [];
  const trouble = troubleOf(record);
  if (!reasons.length && !trouble) {
    return null;
  }
  return (
    <ul className={record.status === 'parked' ? 'qpm-Why qpm-Why-parked' : 'qpm-Why'}>
      {trouble && (
        <li>
          <b>{trouble.message}</b>
          {trouble.hint && trouble.hint !== SEE_COST && <div className="qpm-quiet">{trouble.hint}</div>}
          {spentOf(record) && <div className="qpm-quiet qpm-num">{spentOf(record)}</div>}
          {record.status === 'parked' && <div className="qpm-quiet">Its reservation is kept until then.</div>}
        </li>
      )}
      {reasons.map((reason, index) => (
        <li key={index}>
          <b>{reason.message}</b>
          <div className="qpm-quiet">
            {reason.fix} {reason.rule && <RuleName rule={reason.rule} owner={reason.owner} />}
          </div>
        </li>
      ))}
    </ul>
  );
}

function RuleName({ rule, owner }: { rule: string; owner: string }) {
  return (
    <span>
      Rule <code>{rule}</code>
      {owner && `, owner ${owner}`}.
    </span>
  );
}

/** What a job cost that has nothing to show for it. */
function spentOf({ status, cost }: JobRecord): string {
  if (!['failed', 'cancelled'].includes(status)) {
    return '';
  }
  if (!cost) {
    return 'Nothing was spent.';
  }
  return `Spent: ${[money(cost.amount, cost.currency), BASES[cost.basis]].filter(Boolean).join(', ')}.`;
}

function troubleOf(record: JobRecord): { message: string; hint: string } | null {
  if (record.error) {
    return record.error;
  }
  switch (record.status) {
    case 'parked':
      return {
        message: 'The vendor cannot say whether it has this job, so it is not sent again.',
        hint: `Settle it: qpm jobs resolve ${record.jobId} --vendor-id X | --not-submitted`
      };
    case 'cancelled':
      return { message: cancelled(record), hint: '' };
    case 'failed':
      return { message: 'The job failed; no reason was recorded.', hint: '' };
    default:
      return null;
  }
}

function cancelled({ results }: JobRecord): string {
  const sweep = results[0]?.sweep;
  return sweep?.done ? `The sweep was cancelled after ${pointsWords(sweep)}.` : 'The job was cancelled before it had a result.';
}
