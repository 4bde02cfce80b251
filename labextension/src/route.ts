/** Where a job ran that was meant to run elsewhere; `qpm_lab/display/wording.py` says the same. */

import { fields, part, text } from './fields';

export interface Fallback {
  from: string;
  to: string;
  because: string;
}

/** The fallback of a record's block `route`; null for a job that ran where it was to run. */
export function readFallback(route: unknown): Fallback | null {
  const told = fields(route)?.fallback;
  return part(told, found => (Object.keys(found).length ? { from: text(found.from), to: text(found.to), because: text(found.because) } : null));
}

export function fallbackWords({ from, to, because }: Fallback): string {
  return `Fallback: ran on ${to} because ${from} did not: ${because}`;
}
