/** How far to trust a result, as docs/record.md has it: estimates, validation, further circuits, canary. */

import { type Fields, fields, items, number, part, text } from './fields';
import { type Quote, readQuote } from './quote';

export interface Estimate {
  value: number | null;
  low: number | null;
  high: number | null;
  level: number | null;
  estimand: string;
  method: string;
  shots: number | null;
  reason: string;
  /** Of a refused value: how many shots would do. */
  shotsNeeded: number | null;
  assumption: string;
}

export interface Fidelity extends Estimate {
  flag: string;
  hellinger: Estimate | null;
  misfit: number | null;
  dispersion: Dispersion | null;
}

export interface Dispersion {
  blocks: number | null;
  ratio: number | null;
  pValue: number | null;
  warning: string;
}

export interface Condition {
  text: string;
  passed: boolean;
  value: number | null;
  low: number | null;
  high: number | null;
  threshold: number | null;
  reason: string;
  estimand: string;
}

export interface Validation {
  passed: boolean;
  conditions: Condition[];
  attempts: number | null;
  earlier: { passed: number; failed: number };
}

/** The same job with as many shots as would do. */
export interface Rerun {
  shots: number;
  command: string;
  quote: Quote | null;
}

/** Further circuits of the job, run to measure the fidelity of its own. */
export interface Companions {
  method: string;
  circuits: number | null;
  shots: number | null;
  chosenBy: string;
  assumption: string;
  digest: string;
}

export interface Canary {
  series: string;
  successes: number | null;
  shots: number | null;
  alarm: boolean;
  evidence: number | null;
  threshold: number | null;
  rate: { low: number | null; high: number | null; level: number | null };
  text: string;
}

/** What was run beside the circuits, and how the result was judged. */
export interface Trust {
  rerun: Rerun | null;
  validation: Validation | null;
  companions: Companions | null;
  twirl: { kind: string; variants: number | null } | null;
  calibration: { digest: string; description: string } | null;
  canary: Canary | null;
}

export function readTrust(found: Fields): Trust {
  return {
    rerun: readRerun(found.rerun),
    validation: readValidation(found.validation),
    companions: part(found.companions, readCompanions),
    twirl: part(found.twirl, twirl => ({ kind: text(twirl.kind), variants: number(twirl.variants) })),
    calibration: part(found.calibration, seen => ({ digest: text(seen.digest), description: text(seen.description) })),
    canary: part(found.canary, readCanary)
  };
}

export function readFidelity(found: Fields): Fidelity {
  return {
    ...readEstimate(found),
    flag: text(found.flag),
    hellinger: part(found.hellinger, readEstimate),
    misfit: number(found.misfit_z),
    dispersion: part(found.dispersion, spread => ({
      blocks: number(spread.blocks),
      ratio: number(spread.ratio),
      pValue: number(spread.p_value),
      warning: text(spread.warning)
    }))
  };
}

function readEstimate(found: Fields): Estimate {
  return {
    value: number(found.value),
    low: number(found.low),
    high: number(found.high),
    level: number(found.level),
    estimand: text(found.estimand),
    method: text(found.method),
    shots: number(found.shots),
    reason: text(found.reason),
    shotsNeeded: number(found.shots_needed),
    assumption: text(found.assumption)
  };
}

function readRerun(value: unknown): Rerun | null {
  const found = fields(value);
  const shots = number(found?.shots);
  return found && shots !== null ? { shots, command: text(found.command), quote: part(found.quote, readQuote) } : null;
}

function readValidation(value: unknown): Validation | null {
  const found = fields(value);
  if (!found || typeof found.passed !== 'boolean') {
    return null;
  }
  const earlier = fields(found.earlier) ?? {};
  return {
    passed: found.passed,
    conditions: items(found.conditions).map(readCondition),
    attempts: number(found.attempts),
    earlier: { passed: number(earlier.passed) ?? 0, failed: number(earlier.failed) ?? 0 }
  };
}

function readCondition(found: Fields): Condition {
  return {
    text: text(found.text),
    passed: found.passed === true,
    value: number(found.value),
    low: number(found.low),
    high: number(found.high),
    threshold: number(found.threshold),
    reason: text(found.reason),
    estimand: text(found.estimand)
  };
}

function readCompanions(found: Fields): Companions {
  return {
    method: text(found.method),
    circuits: number(found.circuits),
    shots: number(found.shots),
    chosenBy: text(found.chosen_by),
    assumption: text(found.assumption),
    digest: text(found.digest)
  };
}

function readCanary(found: Fields): Canary {
  const rate = fields(found.rate) ?? {};
  return {
    series: text(found.series),
    successes: number(found.successes),
    shots: number(found.shots),
    alarm: found.alarm === true,
    evidence: number(found.evidence),
    threshold: number(found.threshold),
    rate: { low: number(rate.low), high: number(rate.high), level: number(rate.level) },
    text: text(found.text)
  };
}
