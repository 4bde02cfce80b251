import { ApiError } from '../api';
import { Copy } from '../copy';

export interface Trouble {
  message: string;
  hint: string;
}

export function troubleOf(error: unknown): Trouble {
  return error instanceof ApiError
    ? { message: error.message, hint: error.hint }
    : { message: 'The panel could not be filled.', hint: String(error) };
}

/** What went wrong and what to do, instead of a blank panel. */
export function TroubleNotice({ trouble, retry }: { trouble: Trouble; retry: () => void }) {
  return (
    <div className="qpm-Notice" role="alert">
      <b className="qpm-bad">{trouble.message}</b>
      <p>{trouble.hint}</p>
      <button type="button" className="qpm-Button" onClick={retry}>
        Retry
      </button>
    </div>
  );
}

/** What is shown may be old while the connection is gone. */
export function LostNotice() {
  return (
    <p className="qpm-Notice qpm-warn" role="status">
      Connection lost, reconnecting …
    </p>
  );
}

const FIRST_CELL = `%%qjob --shots 1024
from qiskit import QuantumCircuit
qc = QuantumCircuit(2)
qc.h(0)
qc.cx(0, 1)
qc`;

/** How to begin, for a panel that has nothing to show yet. */
export function FirstSteps({ title, then }: { title: string; then: string }) {
  return (
    <div className="qpm-Notice">
      <b>{title}</b>
      <p>
        Open a notebook with the kernel <i>Governed Quantum</i> and run this cell:
      </p>
      <pre>{FIRST_CELL}</pre>
      <p>
        <Copy full={FIRST_CELL} short="Copy the cell" what="first cell" button /> {then}
      </p>
    </div>
  );
}
