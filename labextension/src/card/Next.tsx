import { useState } from 'react';

import { Copy } from '../copy';
import { count, counted } from '../format';
import type { JobRecord } from '../record';
import type { Rerun } from '../trust';
import { rerunCode, rerunPrice } from '../trustWords';

/** Runs a job again in a cell of its own; false when the person thought better of it. */
export type RunAgain = (rerun: Rerun, code: string) => Promise<boolean>;

export interface NextProps {
  record: JobRecord;
  /** Given only where there is a notebook to run it in. */
  runAgain?: RunAgain;
}

/** What the record proposes, and more shots where they would help: as one step when both are the same. */
export function Next({ record, runAgain }: NextProps) {
  const { rerun } = record;
  const said = [record.error?.hint, ...(record.decision?.reasons ?? []).map(reason => reason.fix)];
  const words = record.next && !said.includes(record.next.text) ? record.next.text : '';
  const command = record.next?.command ?? '';
  const same = rerun !== null && command === rerun.command;
  if (!words && !command && !rerun) {
    return null;
  }
  return (
    <div className="qpm-Card-next">
      <b>Next:</b> {words} {command && !same && <code>{command}</code>}
      {rerun && <Again record={record} rerun={rerun} words={same ? '' : `Run it with ${counted(rerun.shots, 'shot')}.`} runAgain={runAgain} />}
    </div>
  );
}

interface AgainProps extends NextProps {
  rerun: Rerun;
  /** What would be done, where the step itself does not say it. */
  words: string;
}

/** Enter and Space belong to the buttons here: the notebook would take them for its own. */
function Again({ record, rerun, words, runAgain }: AgainProps) {
  const code = rerunCode(record);
  return (
    <>
      <div>
        {words && <b>Or:</b>} {words} {rerunPrice(rerun)}
      </div>
      <div className="qpm-Again" data-lm-suppress-shortcuts>
        {code && runAgain && <AgainButton rerun={rerun} name={record.name} run={() => runAgain(rerun, code)} />}
        {rerun.command && <Copy full={rerun.command} short={rerun.command} what="command" />}
      </div>
    </>
  );
}

interface AgainButtonProps {
  rerun: Rerun;
  name: string;
  run: () => Promise<boolean>;
}

function AgainButton({ rerun, name, run }: AgainButtonProps) {
  const [said, say] = useState('');
  const [asking, setAsking] = useState(false);
  const click = async () => {
    setAsking(true);
    try {
      say((await run()) ? 'runs in the cell below' : '');
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    } finally {
      setAsking(false);
    }
  };
  return (
    <>
      <button type="button" className="qpm-Button" disabled={asking} aria-label={`Run ${name} again with ${count(rerun.shots)} shots`} onClick={click}>
        {`Run again with ${counted(rerun.shots, 'shot')}`}
      </button>
      <span className="qpm-quiet" role="status">
        {said}
      </span>
    </>
  );
}
