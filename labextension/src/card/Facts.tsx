import { amount, money } from '../format';
import { Meter } from '../meter';
import { BASES, priceOf, sourceOf } from '../quote';
import { isOpen, type JobRecord, type QuotaLine } from '../record';
import type { Fidelity } from '../trust';
import { destination, notSent } from '../vendor';
import { quotaShare, quotaTitle } from '../words';
import { FidelityFact } from './FidelityFact';

const QUOTAS = 2;

export interface FactsProps {
  record: JobRecord;
  fidelity: Fidelity | null;
}

/** The right column: how far to trust it, what it cost, what is left. */
export function Facts({ record, fidelity }: FactsProps) {
  const lines = [...record.quota].sort((a, b) => taken(b) - taken(a));
  const rest = lines.slice(QUOTAS);
  return (
    <div className="qpm-Facts">
      {fidelity ? <FidelityFact fidelity={fidelity} /> : isOpen(record.status) && <FidelityToCome />}
      <PlaceFact record={record} />
      <CostFact record={record} />
      {lines.slice(0, QUOTAS).map((line, index) => (
        <QuotaFact key={index} line={line} />
      ))}
      {rest.length > 0 && (
        <details>
          <summary className="qpm-quiet">{rest.length === 1 ? '1 more quota' : `${rest.length} more quotas`}</summary>
          {rest.map((line, index) => (
            <QuotaFact key={index} line={line} />
          ))}
        </details>
      )}
    </div>
  );
}

function taken(line: QuotaLine): number {
  const { used, reserved } = quotaShare(line);
  return used + reserved;
}

/** As high as the fidelity that will stand in its place, so that nothing jumps. */
function FidelityToCome() {
  return (
    <div className="qpm-Fact qpm-Fact-to-come">
      <h4>Outcome fidelity</h4>
      <p className="qpm-quiet">follows with the result</p>
    </div>
  );
}

/** Where the circuit goes, as long as that can be weighed or watched. */
export function PlaceFact({ record: { place, status } }: { record: JobRecord }) {
  const words = destination(place);
  if (!words || !(notSent(status) || isOpen(status))) {
    return null;
  }
  return (
    <div className="qpm-Fact qpm-Place">
      <h4>{notSent(status) ? 'It would go to' : 'It is sent to'}</h4>
      <p>{words}</p>
    </div>
  );
}

function CostFact({ record }: { record: JobRecord }) {
  if (!record.cost && !record.quote) {
    return null;
  }
  const [figure, source] = costOf(record);
  return (
    <div className="qpm-Fact">
      <h4>{record.cost ? 'Cost' : 'Cost, quoted'}</h4>
      <span className="qpm-Fact-big qpm-num">{figure}</span> <span className="qpm-quiet">{source}</span>
    </div>
  );
}

function costOf({ cost, quote }: JobRecord): [string, string] {
  if (cost) {
    return [money(cost.amount, cost.currency), BASES[cost.basis] ?? sourceOf(quote, Number(cost.amount) !== 0)];
  }
  return priceOf(quote);
}

function QuotaFact({ line }: { line: QuotaLine }) {
  const share = quotaShare(line);
  const held = Number(line.reserved) > 0 ? `, ${amount(line.reserved, line.unit)} held` : '';
  const warning = share.tight ? `; almost used up, ${amount(line.left, line.unit)} left` : '';
  const words = `${amount(line.used, line.unit)} of ${amount(line.limit, line.unit)} used${held}${warning}`;
  return (
    <div className="qpm-Fact">
      <h4>{`Quota · ${quotaTitle(line)}`}</h4>
      <Meter used={share.used} reserved={share.reserved} tight={share.tight} label={words} />
      <p className={share.tight ? 'qpm-warn qpm-num' : 'qpm-quiet qpm-num'}>{words}</p>
    </div>
  );
}
