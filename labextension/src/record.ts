/**
 * The job record of docs/record.md. A saved notebook may hold anything under our MIME type, so a value
 * is used only after `readRecord` has looked at it.
 */

import { type Fields, fields, items, list, MAX_ITEMS, number, part, text } from './fields';
import { type Quote, readQuote } from './quote';
import { type Fallback, readFallback } from './route';
import { readSweep, type Sweep } from './sweep';
import { type Fidelity, readFidelity, readTrust, type Trust } from './trust';
import type { Rows } from './measured';
import { type AtVendor, executedRows, readAtVendor } from './vendor';

export const MIME = 'application/vnd.qpm-lab.job+json';
export const OPEN_STATES = ['submitted', 'queued', 'running', 'parked'];
export const STATES = [...OPEN_STATES, 'completed', 'failed', 'cancelled', 'denied', 'awaiting_approval'];

export interface Circuit {
  name: string;
  fingerprint: string;
  qubits: number | null;
  clbits: number | null;
  depth: number | null;
  twoQubitGates: number | null;
  gates: [string, number][];
  /** More than one in a sweep. */
  points: number;
  /** What a price is worked out on, in words. */
  executed: Rows;
}

export interface Reason {
  message: string;
  fix: string;
  rule: string;
  owner: string;
}

export interface Decision {
  effect: string;
  reasons: Reason[];
  policy: string;
  version: string;
}

export interface Outcome {
  key: string;
  count: number;
  share: number;
  low: number | null;
  high: number | null;
}

export interface Outcomes {
  level: number | null;
  method: string;
  shown: Outcome[];
  hidden: { outcomes: number; share: number };
}

export interface Result {
  circuit: Circuit | null;
  outcomes: Outcomes | null;
  fidelity: Fidelity | null;
  sweep: Sweep | null;
}

export interface Cost {
  currency: string;
  amount: string;
  basis: string;
}

export interface QuotaLine {
  quota: string;
  measure: string;
  scope: string;
  key: string;
  window: string;
  unit: string;
  limit: string;
  used: string;
  reserved: string;
  left: string;
  renewsAt: string;
  owner: string;
}

export interface Progress {
  done: number;
  total: number;
  unit: string;
  message: string;
}

export interface JobRecord extends Trust, AtVendor {
  jobId: string;
  name: string;
  status: string;
  backend: string;
  shots: number | null;
  seed: number | null;
  experiment: string;
  session: string;
  user: string;
  submittedAt: string;
  startedAt: string;
  endedAt: string;
  runSeconds: number | null;
  decision: Decision | null;
  quote: Quote | null;
  cost: Cost | null;
  /** One for each circuit; a job has at least one. */
  results: Result[];
  quota: QuotaLine[];
  entry: number | null;
  digest: string;
  notes: string[];
  error: { message: string; hint: string } | null;
  progress: Progress | null;
  fallback: Fallback | null;
  next: { text: string; command: string } | null;
  /** The document as it came, for whoever wants to look. */
  source: unknown;
}

export function isOpen(status: string): boolean {
  return OPEN_STATES.includes(status);
}

/** A record, or null for something that is not one. */
export function readRecord(value: unknown): JobRecord | null {
  const found = fields(value);
  if (!found || !text(found.status) || found.schema !== 1) {
    return null;
  }
  const results = items(found.results).map(readResult);
  return {
    ...readIdentity(found),
    ...readTimes(fields(found.times) ?? {}),
    ...readTrust(found),
    ...readAtVendor(found),
    decision: part(found.decision, readDecision),
    quote: part(found.quote, readQuote),
    cost: part(found.cost, readCost),
    results: results.length ? results : [readResult(found)],
    quota: items(found.quota).map(readQuota),
    entry: number(fields(found.ledger)?.entry),
    digest: text(fields(found.ledger)?.digest),
    notes: list(found.notes).map(text).filter(Boolean),
    error: part(found.error, e => ({ message: text(e.message), hint: text(e.hint) })),
    progress: part(found.progress, readProgress),
    fallback: readFallback(found.route),
    next: part(found.next, n => ({ text: text(n.text), command: text(n.command) })),
    source: value
  };
}

function readIdentity(found: Fields) {
  return {
    jobId: text(found.job_id),
    name: text(found.name) || text(fields(found.circuit)?.name) || 'unnamed',
    status: text(found.status),
    backend: text(found.backend),
    shots: number(found.shots),
    seed: number(found.seed),
    experiment: text(fields(found.labels)?.experiment),
    session: text(fields(found.labels)?.session),
    user: text(fields(found.principal)?.user)
  };
}

function readTimes(found: Fields) {
  return {
    submittedAt: text(found.submitted_at),
    startedAt: text(found.started_at),
    endedAt: text(found.ended_at),
    runSeconds: number(found.run_seconds) ?? number(found.total_seconds)
  };
}

function readResult(found: Fields): Result {
  return {
    circuit: part(found.circuit, readCircuit),
    outcomes: part(found.outcomes, readOutcomes),
    fidelity: part(found.fidelity, readFidelity),
    sweep: readSweep(found.sweep)
  };
}

function readCircuit(found: Fields): Circuit {
  const gates = Object.entries(fields(found.gates) ?? {}).slice(0, MAX_ITEMS);
  return {
    name: text(found.name),
    fingerprint: text(found.fingerprint),
    qubits: number(found.qubits),
    clbits: number(found.clbits),
    depth: number(found.depth),
    twoQubitGates: number(found.two_qubit_gates),
    gates: gates.map(([gate, many]) => [text(gate), number(many) ?? 0]),
    points: number(found.points) ?? 1,
    executed: executedRows(found)
  };
}

function readOutcomes(found: Fields): Outcomes {
  const hidden = fields(found.hidden) ?? {};
  return {
    level: number(found.level),
    method: text(found.method),
    shown: items(found.shown).map(readOutcome),
    hidden: { outcomes: number(hidden.outcomes) ?? 0, share: number(hidden.share) ?? 0 }
  };
}

function readOutcome(found: Fields): Outcome {
  return {
    key: text(found.key) || '(empty)',
    count: number(found.count) ?? 0,
    share: Math.min(1, Math.max(0, number(found.share) ?? 0)),
    low: number(found.low),
    high: number(found.high)
  };
}

function readDecision(found: Fields): Decision {
  return {
    effect: text(found.effect),
    reasons: items(found.reasons).map(reason => ({
      message: text(reason.message),
      fix: text(reason.fix),
      rule: text(reason.rule),
      owner: text(reason.owner)
    })),
    policy: text(found.policy),
    version: text(found.policy_version)
  };
}

function readCost(found: Fields): Cost {
  return { currency: text(found.currency), amount: text(found.amount), basis: text(found.basis) };
}

function readProgress(found: Fields): Progress {
  return {
    done: number(found.done) ?? 0,
    total: number(found.total) ?? 0,
    unit: text(found.unit),
    message: text(found.message)
  };
}

export function readQuota(found: Fields): QuotaLine {
  return {
    quota: text(found.quota),
    measure: text(found.measure),
    scope: text(found.scope),
    key: text(found.key),
    window: text(found.window),
    unit: text(found.unit),
    limit: text(found.limit),
    used: text(found.used),
    reserved: text(found.reserved),
    left: text(found.left),
    renewsAt: text(found.renews_at),
    owner: text(found.owner)
  };
}
