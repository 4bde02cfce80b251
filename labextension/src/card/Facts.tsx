import { amount, confidence, interval, money } from '../format';
import { Meter } from '../meter';
import { type Fidelity, isOpen, type JobRecord, type QuotaLine } from '../record';
import { quotaShare, quotaTitle } from '../words';
import { axisOf, place } from './axis';

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

function FidelityFact({ fidelity }: { fidelity: Fidelity }) {
  const { value, low, high, reason, method } = fidelity;
  const bounded = low !== null && high !== null;
  const sure = confidence(fidelity.level);
  const ideal = reason.toLowerCase().startsWith('ideal simulator');
  if (ideal || value === null || !bounded) {
    const unwanted = /^not (asked for|computed)/i.test(reason);
    const refused = bounded ? 'Not claimed' : unwanted ? 'Not computed' : 'Not measurable here';
    const headline = ideal ? 'Ideal simulator, sampling noise only' : refused;
    const between = bounded ? `${interval(low, high)} (${sure})` : '';
    return (
      <div className="qpm-Fact">
        <h4>{titleOf(fidelity)}</h4>
        <p>{headline}</p>
        {!ideal && <p className="qpm-quiet">{reason}</p>}
        {between && <p className="qpm-quiet qpm-num">{`${ideal ? 'Sampling alone gives' : 'Somewhere in'} ${between}.`}</p>}
      </div>
    );
  }
  return (
    <div className="qpm-Fact">
      <h4>{titleOf(fidelity)}</h4>
      <span className="qpm-Fact-big qpm-num">{interval(low, high)}</span> <span className="qpm-quiet">{sure}</span>
      <AxisLine low={low} high={high} value={value} />
      {reason && <p>{reason}</p>}
      {method && <p className="qpm-quiet">{method}</p>}
    </div>
  );
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

function titleOf({ estimand }: Fidelity): string {
  return !estimand || estimand.toLowerCase().includes('heavy') ? 'Outcome fidelity' : estimand.slice(0, 60);
}

function AxisLine({ low, high, value }: { low: number; high: number; value: number }) {
  const axis = axisOf(low, high);
  const at = (where: number) => `${place(axis, where) * 100}%`;
  return (
    <div aria-hidden="true">
      <div className="qpm-Axis">
        <span className="qpm-Axis-interval" style={{ left: at(low), width: `${(place(axis, high) - place(axis, low)) * 100}%` }} />
        <span className="qpm-Axis-point" style={{ left: at(value) }} />
      </div>
      <div className="qpm-Axis-ends qpm-quiet qpm-num">
        <span>{axis.start}</span>
        <span>{axis.end}</span>
      </div>
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
    return [money(cost.amount, cost.currency), cost.basis === 'billed' ? 'billed' : sourceOf(quote, Number(cost.amount) !== 0)];
  }
  if (!quote?.high) {
    return ['unknown', 'no price is known'];
  }
  const high = money(quote.high, quote.currency);
  const figure = quote.low && Number(quote.low) !== Number(quote.high) ? `${money(quote.low, quote.currency)} – ${high}` : high;
  return [figure, sourceOf(quote, Number(quote.high) !== 0)];
}

function sourceOf(quote: JobRecord['quote'], priced: boolean): string {
  if (!quote) {
    return '';
  }
  if (!priced && quote.source) {
    return quote.source;
  }
  const dated = [quote.source, quote.asOf].filter(Boolean).join(', ');
  return `quoted${dated && ` (${dated})`}${quote.stale ? '; this price is out of date' : ''}`;
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
