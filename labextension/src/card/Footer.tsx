import { Copy } from '../copy';
import { count, moment, short } from '../format';
import { measuredRows, type Rows } from '../measured';
import type { JobRecord, Result } from '../record';
import { priceRows, vendorRows } from '../vendor';
import { Terms } from './Terms';

export interface FooterProps {
  record: JobRecord;
  /** Which of the job's circuits is shown. */
  chosen: number;
}

/** Where it stands and under which rules; the whole record for whoever wants to look. */
export function Footer({ record, chosen }: FooterProps) {
  const { decision, digest } = record;
  const verb = decision?.effect === 'allow' && record.status !== 'dry_run' ? 'Allowed' : 'Decided';
  return (
    <footer className="qpm-Card-foot">
      {record.notes.length > 0 && (
        <ul className="qpm-Notes">
          {record.notes.map((note, index) => (
            <li key={index}>{note}</li>
          ))}
        </ul>
      )}
      {decision && (
        <span>
          {verb} by <Copy full={decision.version} short={policyTag(decision.policy, decision.version)} what="policy version" />
        </span>
      )}
      {record.entry !== null && (
        <span>
          Ledger entry {count(record.entry)} {digest && <Copy full={digest} short={short(digest)} what="entry digest" />}
        </span>
      )}
      {record.jobId && (
        <span>
          Job <Copy full={record.jobId} short={short(record.jobId)} what="job id" />
        </span>
      )}
      <div className="qpm-Folds">
        <MeasuredDetails record={record} chosen={chosen} />
        <CircuitDetails results={record.results} chosen={chosen} />
        <RunDetails record={record} />
        <VendorDetails record={record} />
        <PriceDetails record={record} />
        <RecordDetails source={record.source} />
      </div>
    </footer>
  );
}

function policyTag(policy: string, version: string): string {
  return [policy, version.split(':').pop()?.slice(0, 4)].filter(Boolean).join('@');
}

function MeasuredDetails({ record, chosen }: FooterProps) {
  const rows = measuredRows(record, record.results[chosen]?.fidelity ?? null);
  return rows.length ? (
    <details>
      <summary>How it was measured</summary>
      <Terms rows={rows} />
    </details>
  ) : null;
}

function CircuitDetails({ results, chosen }: { results: Result[]; chosen: number }) {
  const circuit = results[chosen]?.circuit;
  if (!circuit) {
    return null;
  }
  const gates = circuit.gates.map(([gate, many]) => `${gate} × ${count(many)}`).join(', ');
  const rows: Rows = [
    ['Name', circuit.name || 'unnamed'],
    ['Qubits', count(circuit.qubits)],
    ['Classical bits', count(circuit.clbits)],
    ['Depth', count(circuit.depth)],
    ['Two-qubit gates', count(circuit.twoQubitGates)],
    ...circuit.executed,
    ['Gates', gates || 'none'],
    ['Fingerprint', circuit.fingerprint || 'none']
  ];
  return (
    <details>
      <summary>{results.length > 1 ? `Circuit ${count(chosen + 1)} of ${count(results.length)}` : 'Circuit'}</summary>
      <Terms rows={rows} />
    </details>
  );
}

function RunDetails({ record }: { record: JobRecord }) {
  const rows: Rows = [
    ['Submitted', record.submittedAt && moment(record.submittedAt)],
    ['Started', record.startedAt && moment(record.startedAt)],
    ['Ended', record.endedAt && moment(record.endedAt)],
    ['User', record.user],
    ['Seed', record.seed === null ? '' : String(record.seed)]
  ];
  const known = rows.filter(([, value]) => value);
  if (!known.length) {
    return null;
  }
  return (
    <details>
      <summary>Run</summary>
      <Terms rows={known} />
    </details>
  );
}

/** The ids are what the vendor's own pages and support ask for. */
function VendorDetails({ record: { place, vendorIds } }: { record: JobRecord }) {
  const rows = vendorRows(place);
  if (!rows.length && !vendorIds.length) {
    return null;
  }
  return (
    <details>
      <summary>At the vendor</summary>
      <Terms rows={rows}>
        {vendorIds.length > 0 && <dt>{vendorIds.length === 1 ? 'Vendor’s id' : 'Vendor’s ids'}</dt>}
        {vendorIds.map((id, index) => (
          <dd key={index}>
            <Copy full={id} short={id} what="vendor’s id" />
          </dd>
        ))}
      </Terms>
    </details>
  );
}

function PriceDetails({ record: { quote, cost } }: { record: JobRecord }) {
  const rows = priceRows(quote, cost?.basis ?? '');
  return rows.length ? (
    <details>
      <summary>Price</summary>
      <Terms rows={rows} />
    </details>
  ) : null;
}

function RecordDetails({ source }: { source: unknown }) {
  return (
    <details>
      <summary>Record</summary>
      <pre tabIndex={0}>{JSON.stringify(source, printed, 1)}</pre>
    </details>
  );
}

/** Long lists of counts and of a sweep's points are named, not printed. */
function printed(key: string, value: unknown): unknown {
  if (key === 'sweep' && typeof value === 'object' && value) {
    const drawn = 'in the data of this output';
    return { ...value, shown: drawn, values: drawn, outcomes: drawn };
  }
  const many = key === 'counts' && typeof value === 'object' && value ? Object.keys(value).length : 0;
  return many > 64 ? `${count(many)} outcomes, in the data of this output` : value;
}
