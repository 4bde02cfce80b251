/** What states and quotas are called; the static card (`qpm_lab/display/wording.py`) says the same. */

import { count, span, secondsSince } from './format';
import type { QuotaLine } from './record';

export type Tone = 'ok' | 'bad' | 'warn' | 'held' | 'busy' | 'quiet';

const STATES: Record<string, [string, Tone]> = {
  submitted: ['Submitted', 'busy'],
  queued: ['Queued', 'busy'],
  running: ['Running', 'busy'],
  parked: ['Parked', 'held'],
  completed: ['Completed', 'ok'],
  failed: ['Failed', 'bad'],
  cancelled: ['Cancelled', 'warn'],
  denied: ['Denied', 'bad'],
  awaiting_approval: ['Awaiting approval', 'warn'],
  dry_run: ['Dry run', 'quiet']
};

const VERDICTS: Record<string, [string, Tone]> = {
  allow: ['It would be allowed', 'ok'],
  deny: ['It would be denied', 'bad'],
  'needs-approval': ['It would need approval', 'warn']
};

/** `qpm_lab/fidelity` has these sentences; a test keeps them equal. */
export const FLAG_WORDS: Record<string, string> = {
  red: 'the errors are not white noise: this fidelity may flatter the circuit',
  amber: 'the errors are not quite white noise'
};

export const FLAGGED: [string, Tone] = ['check the errors', 'bad'];

const WINDOWS: Record<string, string> = {
  hour: 'this hour',
  day: 'today',
  month: 'this month',
  job: 'per job',
  life: 'in this notebook'
};

/** The state's word with the verdict of its validation: a failed one is seen first. */
export function stateWord(status: string, passed: boolean | null = null): [string, Tone] {
  const [word, tone] = STATES[status] ?? [status.replace(/_/g, ' ') || 'Unknown', 'quiet'];
  if (passed === null || status !== 'completed') {
    return [word, tone];
  }
  return passed ? [`${word}, validation passed`, tone] : [`${word}, validation failed`, 'bad'];
}

/** Of all open jobs: '2 running', and of those that wait for a person '1 needs you'. */
export function openWords(open: number, parked: number): string {
  const running = `${count(Math.max(0, open - parked))} running`;
  return parked ? `${running}, ${count(parked)} ${parked === 1 ? 'needs' : 'need'} you` : running;
}

export function verdictWord(effect: string): [string, Tone] {
  return VERDICTS[effect] ?? ['Not decided', 'quiet'];
}

export interface QuotaShare {
  /** Used and reserved as shares of the limit, together at most 1. */
  used: number;
  reserved: number;
  tight: boolean;
  spent: boolean;
}

export function quotaShare(line: QuotaLine): QuotaShare {
  const limit = Number(line.limit);
  const share = (value: string) => (limit > 0 ? Math.max(0, Number(value) / limit || 0) : 1);
  const used = Math.min(1, share(line.used));
  const taken = share(line.used) + share(line.reserved);
  const reserved = Math.min(1 - used, share(line.reserved));
  return { used, reserved, tight: taken > 0.8, spent: Number(line.left) <= 0 };
}

function quotaMeasure(line: QuotaLine): string {
  return line.measure === 'qpu_seconds' ? 'QPU time' : line.measure || line.quota;
}

/** Scopes whose holder has a word of its own; a notebook's own limit needs none. */
const HOLDERS: Record<string, string> = { user: 'you', org: 'everyone', notebook_run: '' };

/** Whose limit it is: 'you', 'everyone', 'team chemistry'. */
function quotaHolder({ scope, key }: QuotaLine): string {
  return HOLDERS[scope] ?? `${scope.replace(/_/g, ' ')} ${key}`.trim();
}

/** A session's own limit lasts as long as the session, which names itself. */
function quotaWindow({ scope, window }: QuotaLine): string {
  return scope === 'session' ? '' : (WINDOWS[window] ?? window);
}

/** In a list of many: 'shots · you, today'; 'cost · team chemistry, this month'. */
export function quotaLabel(line: QuotaLine): string {
  const limits = [quotaHolder(line), quotaWindow(line)].filter(Boolean).join(', ');
  return [quotaMeasure(line), limits].filter(Boolean).join(' · ');
}

/** On a card, where the person is known: 'shots today'; 'cost this month · team chemistry'. */
export function quotaTitle(line: QuotaLine): string {
  if (line.scope === 'session') {
    return `${quotaMeasure(line)} in ${quotaHolder(line)}`;
  }
  const holder = line.scope === 'user' ? '' : quotaHolder(line);
  return [`${quotaMeasure(line)} ${quotaWindow(line)}`.trim(), holder].filter(Boolean).join(' · ');
}

/** What ends a limit that no calendar renews. */
const ENDS: Record<string, string> = { session: 'ends with the session', notebook_run: 'renews when the kernel restarts' };

export function renewal(line: QuotaLine, now: number): string {
  const passed = secondsSince(line.renewsAt, now);
  if (passed === null) {
    return ENDS[line.scope] ?? '';
  }
  return passed >= 0 ? 'renewed just now' : `renews in ${span(-passed)}`;
}
