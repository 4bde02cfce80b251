/** How a fidelity was measured, for whoever asks; `qpm_lab/display/measured.py` says the same. */

import { count, counted } from './format';
import type { JobRecord } from './record';
import { real } from './sweep';
import type { Canary, Companions, Fidelity } from './trust';
import { kindOf, promiseOf, ranged } from './trustWords';

export type Rows = [string, string][];

/** How it was measured: terms and their words. */
export function measuredRows(record: JobRecord, fidelity: Fidelity | null): Rows {
  const rows: Rows = [...(fidelity ? estimateRows(fidelity) : []), ...setupRows(record, fidelity?.assumption ?? '')];
  return rows.filter(([, words]) => words);
}

function estimateRows(fidelity: Fidelity): Rows {
  const { hellinger, misfit, dispersion, shots } = fidelity;
  const alone = kindOf(fidelity) === 'ideal' && ranged(fidelity);
  const chance = dispersion?.pValue == null ? '' : `, p = ${Number(dispersion.pValue.toPrecision(2))}`;
  const ratio = dispersion?.ratio ?? null;
  return [
    ['Estimand', fidelity.estimand],
    ['Method', fidelity.method],
    ['Takes for granted', fidelity.assumption],
    ['From', shots ? counted(shots, 'shot') : ''],
    ['Sampling alone', alone ? `would give ${alone}, whatever the circuit does` : ''],
    ['Second estimand', hellinger?.estimand ?? ''],
    ['Its interval', hellinger ? ranged(hellinger) : ''],
    ['Its method', hellinger?.method ?? ''],
    ['Its assumption', hellinger?.assumption ?? ''],
    ['Its caveat', hellinger?.reason ?? ''],
    ['White noise', misfit === null ? '' : `${misfit.toFixed(1)} standard deviations from the counts (3 is much)`],
    ['Dispersion', ratio === null ? '' : `${counted(dispersion?.blocks ?? 0, 'block')}: ${real(ratio)} times the variance of independent shots${chance}`]
  ];
}

/** An assumption that was `told` with the fidelity is not told again. */
function setupRows({ companions, twirl, calibration, canary }: JobRecord, told: string): Rows {
  return [
    ...(companions ? companionRows(companions, told) : []),
    ['Twirl', twirl ? `${TWIRLS[twirl.kind] ?? twirl.kind}, ${counted(twirl.variants ?? 0, 'variant')}: ${TWIRL}` : ''],
    ['Machine as it was', calibration?.description ?? ''],
    ['Its snapshot', calibration?.digest ?? ''],
    ['Canary', canary ? canaryWords(canary) : '']
  ];
}

const FURTHER: Record<string, string> = { mirror: 'mirror circuits', proxy: 'Clifford proxies' };
const CHOSEN: Record<string, string> = { auto: 'chosen automatically', user: 'asked for' };
const TWIRLS: Record<string, string> = { readout: 'readout', gates: 'gates', all: 'gates and readout' };
const TWIRL = 'an error symmetrisation: random gates that cancel, undone in the counts. It hides nothing from a vendor.';

function companionRows({ method, circuits, shots, chosenBy, assumption, digest }: Companions, told: string): Rows {
  const many = `${count(circuits)} ${FURTHER[method] ?? method} × ${counted(shots ?? 0, 'shot')}`;
  return [
    ['Further circuits', [many, CHOSEN[chosenBy]].filter(Boolean).join(', ')],
    ['They take for granted', assumption === told ? '' : assumption],
    ['Their digest', digest]
  ];
}

/** Alarm or none, the evidence for it, and how often it would be false. */
function canaryWords(canary: Canary): string {
  const { series, successes, shots, alarm, evidence, threshold, rate, text } = canary;
  return [
    `${series}:`,
    `${count(successes)} of ${counted(shots ?? 0, 'shot')} succeeded.`,
    ranged(rate) && `Rate ${ranged(rate)}.`,
    alarm ? 'Alarm.' : 'No alarm.',
    evidence === null ? '' : `Evidence ${real(evidence)}, alarm at ${count(threshold)}.`,
    text,
    promiseOf(canary)
  ]
    .filter(Boolean)
    .join(' ');
}
