import { counted, moment, span, secondsSince } from '../format';
import { Meter } from '../meter';
import { useNow } from '../now';
import type { JobRecord, Result } from '../record';
import { asked } from '../vendor';

export interface RunProgressProps {
  record: JobRecord;
  /** Below a drawing that says most of it. */
  brief?: boolean;
}

/** How far an open job is; as high as the outcomes that will stand in its place, so that nothing jumps. */
export function RunProgress({ record, brief = false }: RunProgressProps) {
  const now = useNow(1000);
  const { done, total, unit, message } = record.progress ?? { done: 0, total: 0, unit: '', message: '' };
  const known = total > 0;
  const far = known ? `${done.toLocaleString('en-US')} of ${counted(total, unit || 'step', unit || 'steps')}` : '';
  const words = [far, message, asked(record.standing, now), brief ? '' : begun(record, now)].filter(Boolean).join(' · ');
  return (
    <div style={{ minHeight: brief ? undefined : heightOf(record.results[0]) }}>
      {!brief && <h4>Progress</h4>}
      <Meter used={known ? done / total : null} label={words} />
      <p className="qpm-quiet qpm-num">{words || 'waiting for news'}</p>
      {record.place && record.vendorIds.length > 0 && (
        <p className="qpm-quiet">{`It goes on at ${record.place.vendor} and is followed, with this kernel or without it.`}</p>
      )}
    </div>
  );
}

function heightOf(result: Result | undefined): string {
  if ((result?.circuit?.points ?? 1) > 1) {
    return 'var(--qpm-chart)';
  }
  const outcomes = Math.min(8, 2 ** Math.min(3, result?.circuit?.clbits ?? 0));
  return `calc(${outcomes} * var(--qpm-row) + 3em)`;
}

function begun(record: JobRecord, now: number): string {
  const [verb, time] = record.startedAt ? ['started', record.startedAt] : ['submitted', record.submittedAt];
  const seconds = secondsSince(time, now);
  return seconds === null ? '' : `${verb} ${moment(time)}, ${span(seconds)} so far`;
}
