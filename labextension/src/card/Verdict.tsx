import type { JobRecord } from '../record';
import type { Condition } from '../trust';
import { alarmOf, attemptsWords, conditionWords, subjectOf } from '../trustWords';
import { CautionLine, Sign } from './CautionLine';

/** What the reader has to know before any figure: the validation, condition by condition, and a drift alarm. */
export function Verdict({ record }: { record: JobRecord }) {
  const validation = record.status === 'completed' ? record.validation : null;
  const alarm = alarmOf(record.canary);
  if (!validation && !alarm) {
    return null;
  }
  const attempts = validation ? attemptsWords(validation) : '';
  return (
    <div className="qpm-Verdict">
      {validation?.conditions.map((condition, index) => (
        <ConditionLine key={index} condition={condition} />
      ))}
      {attempts && <p className="qpm-quiet">{attempts}</p>}
      {alarm && <CautionLine caution={alarm} />}
    </div>
  );
}

function ConditionLine({ condition }: { condition: Condition }) {
  const tone = condition.passed ? 'ok' : 'bad';
  return (
    <p className="qpm-num">
      <Sign symbol={condition.passed ? '✓' : '✗'} tone={tone} />
      <code>{condition.text}</code> {subjectOf(condition)}
      <span className={`qpm-${tone}`}>{conditionWords(condition)}</span>
    </p>
  );
}
