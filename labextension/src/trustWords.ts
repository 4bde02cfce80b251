/** What speaks for and against a result, in words; `qpm_lab/display/trust.py` and its neighbours say the same. */

import { confidence, count, counted, interval } from './format';
import { isFree, priceOf } from './quote';
import type { JobRecord } from './record';
import { real } from './sweep';
import type { Canary, Condition, Estimate, Fidelity, Rerun, Validation } from './trust';
import { FLAG_WORDS, type Tone } from './words';

/** A colour alone says nothing: each has a symbol and a word. */
const FLAGS: Record<string, [string, string, Tone]> = { red: ['⚑', 'Red flag', 'bad'], amber: ['⚐', 'Amber flag', 'warn'] };

export interface Caution {
  symbol: string;
  word: string;
  text: string;
  tone: Tone;
}

export type Kind = 'estimate' | 'ideal' | 'refused';

export function kindOf({ reason, value, low, high }: Fidelity): Kind {
  if (reason.toLowerCase().startsWith('ideal simulator')) {
    return 'ideal';
  }
  return value !== null && low !== null && high !== null ? 'estimate' : 'refused';
}

/** What tells in an estimand or a method which further circuits were run. */
const CIRCUITS: [string, string][] = [
  ['mirror', 'mirror circuits'],
  ['clifford prox', 'Clifford proxies'],
  ['direct fidelity', 'Clifford proxies']
];

/** The estimand's short name. A histogram bounds the fidelity of a state only from above, so that is never one. */
export function titleOf({ estimand, method }: Pick<Estimate, 'estimand' | 'method'>): string {
  if (/^heavy-set/i.test(estimand)) {
    return 'Outcome fidelity (heavy set)';
  }
  const said = `${estimand} ${method}`.toLowerCase();
  if (said.includes('process')) {
    const kind = CIRCUITS.find(([sign]) => said.includes(sign))?.[1];
    return kind ? `Process fidelity (${kind})` : 'Process fidelity';
  }
  return said.includes('hellinger') ? 'Hellinger fidelity' : 'Outcome fidelity';
}

/** '0.951 – 0.965 (95 %)'; empty without an interval. */
export function ranged({ low, high, level }: Pick<Estimate, 'low' | 'high' | 'level'>): string {
  return low === null || high === null ? '' : interval(low, high) + (level === null ? '' : ` (${confidence(level)})`);
}

/** What stands in the place of an interval that is not claimed. */
export function insteadOf(fidelity: Fidelity): string {
  if (kindOf(fidelity) === 'ideal') {
    return 'Ideal simulator, sampling noise only';
  }
  if (ranged(fidelity)) {
    return 'Not claimed';
  }
  return /^not (asked for|computed)/i.test(fidelity.reason) ? 'Not computed' : 'Not measurable here';
}

export function explanationOf(fidelity: Fidelity): string {
  const { reason, shotsNeeded } = fidelity;
  const kind = kindOf(fidelity);
  if (kind !== 'refused') {
    return kind === 'ideal' ? '' : reason;
  }
  const enough = shotsNeeded === null || reason.includes(count(shotsNeeded)) ? '' : `${count(shotsNeeded)} shots would do.`;
  const somewhere = ranged(fidelity);
  return [reason, enough, somewhere && `Somewhere in ${somewhere}.`].filter(Boolean).join(' ');
}

export function cautionsOf(fidelity: Fidelity): Caution[] {
  if (kindOf(fidelity) === 'ideal') {
    return [];
  }
  const flag = FLAGS[fidelity.flag];
  const found: Caution[] = flag ? [{ symbol: flag[0], word: flag[1], text: FLAG_WORDS[fidelity.flag] ?? '', tone: flag[2] }] : [];
  const spread = fidelity.dispersion?.warning.replace(/\.+$/, '');
  return spread ? [...found, { symbol: '⚠', word: 'Dispersion', text: spread, tone: 'warn' }] : found;
}

/** Of what a condition is, where it alone does not tell. */
export function subjectOf({ estimand }: Condition): string {
  return /process/i.test(estimand) ? '(process fidelity) ' : '';
}

/** 'passed: the lower end, 0.931, reaches 0.9.' */
export function conditionWords(condition: Condition): string {
  return `${condition.passed ? 'passed' : 'failed'}: ${whyOf(condition)}.`;
}

function whyOf({ text, passed, value, low, high, threshold, reason }: Condition): string {
  if (reason || threshold === null) {
    return reason.replace(/\.+$/, '') || 'no figure was recorded';
  }
  const upper = text.includes('<');
  const verdict = passed ? (upper ? 'stays within' : 'reaches') : upper ? 'is above' : 'is below';
  const end = low === null || high === null ? '' : interval(low, high).split(' – ')[upper ? 1 : 0];
  const decisive = end ? `the ${upper ? 'upper' : 'lower'} end, ${end},` : `the value, ${value === null ? '–' : real(value)},`;
  return `${decisive} ${verdict} ${real(threshold)}`;
}

/** How often it was tried: trying until it passes is possible, and seen. */
export function attemptsWords({ passed, attempts, earlier }: Validation): string {
  if (attempts === null) {
    return '';
  }
  if (attempts <= 1) {
    return 'First attempt.';
  }
  const less = passed ? ' A pass after several attempts means less than one at the first.' : '';
  const before =
    attempts === 2
      ? `the earlier one ${earlier.passed ? 'passed' : 'failed'}.`
      : `of ${count(attempts - 1)} earlier ones ${count(earlier.passed)} passed, ${count(earlier.failed)} failed.`;
  return `Attempt ${count(attempts)}: ${before}${less}`;
}

/** 'Price: $1.10 – $4.51, quoted (price list, 2026-07-23).' */
export function rerunPrice({ quote }: Rerun): string {
  return `Price: ${priceOf(quote).join(', ')}.`;
}

/** What to ask before money is spent; null when it is free. */
export function rerunQuestion(rerun: Rerun): string | null {
  return isFree(rerun.quote) ? null : `${counted(rerun.shots, 'shot')}. ${rerunPrice(rerun)}`;
}

const JOB_ID = /^[\w-]{1,64}$/;

/** The command, when it is exactly the rerun of this job: what a notebook from elsewhere says is not run on a click. */
export function rerunCode({ jobId, rerun }: JobRecord): string | null {
  const code = `%qjob --again ${jobId} --shots ${rerun?.shots}`;
  return rerun && JOB_ID.test(jobId) && Number.isSafeInteger(rerun.shots) && rerun.shots > 0 && rerun.command === code ? code : null;
}

/** That the machine has drifted, with how often such an alarm is false. */
export function alarmOf(canary: Canary | null): Caution | null {
  if (!canary?.alarm) {
    return null;
  }
  const said = canary.text.replace(/^Drift: /, '') || 'The canary fails more often than it used to.';
  return { symbol: '⚠', word: 'Drift alarm', text: `${said} ${promiseOf(canary)}`.replace(/[. ]+$/, ''), tone: 'bad' };
}

/** How often an alarm is false, unless the text says it. */
export function promiseOf({ threshold, text }: Canary): string {
  const known = text.includes('false alarm') || threshold === null;
  return known ? '' : `On average at most one false alarm in ${count(threshold)} canaries while nothing drifts.`;
}
