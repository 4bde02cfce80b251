import { confidence, interval } from '../format';
import type { Estimate, Fidelity } from '../trust';
import { cautionsOf, explanationOf, insteadOf, kindOf, ranged, titleOf } from '../trustWords';
import { axisOf, place } from './axis';
import { CautionLine } from './CautionLine';

/** The interval in words and on an axis, its companion, and what speaks against it; never a bare number. */
export function FidelityFact({ fidelity }: { fidelity: Fidelity }) {
  const kind = kindOf(fidelity);
  const explanation = explanationOf(fidelity);
  return (
    <div className="qpm-Fact">
      <h4>{titleOf(fidelity)}</h4>
      {kind === 'estimate' ? <Claim {...fidelity} /> : <p className={kind === 'refused' ? 'qpm-Fact-said' : 'qpm-quiet'}>{insteadOf(fidelity)}</p>}
      {kind === 'estimate' && fidelity.method && <p className="qpm-quiet">{fidelity.method}</p>}
      {kind !== 'ideal' && <Drawn fidelity={fidelity} />}
      {cautionsOf(fidelity).map((caution, index) => (
        <CautionLine key={index} caution={caution} />
      ))}
      {explanation && <p className="qpm-num">{explanation}</p>}
    </div>
  );
}

function Claim({ low, high, level }: Estimate) {
  return (
    <>
      <span className="qpm-Fact-big qpm-num">{interval(low ?? 0, high ?? 0)}</span> <span className="qpm-quiet">{confidence(level)}</span>
    </>
  );
}

type Ends = [number, number];

function endsOf(estimate: Estimate | null): Ends | null {
  return estimate && estimate.low !== null && estimate.high !== null ? [estimate.low, estimate.high] : null;
}

/** Both intervals on one number line, also that of a refused value: the companion's is thinner, under the first. */
function Drawn({ fidelity }: { fidelity: Fidelity }) {
  const own = endsOf(fidelity);
  // Beside an ideal that is nearly uniform the companion is close to 1 whatever the machine does.
  const other = own && endsOf(fidelity.hellinger);
  const ends = [...(own ?? []), ...(other ?? [])];
  if (!ends.length) {
    return null;
  }
  const axis = axisOf(Math.min(...ends), Math.max(...ends));
  const at = (where: number) => `${place(axis, where) * 100}%`;
  const span = ([from, to]: Ends) => ({ left: at(from), width: `${(place(axis, to) - place(axis, from)) * 100}%` });
  return (
    <>
      <div aria-hidden="true">
        <div className={other ? 'qpm-Axis qpm-Axis-two' : 'qpm-Axis'}>
          {own && <span className="qpm-Axis-interval" style={span(own)} />}
          {fidelity.value !== null && <span className="qpm-Axis-point" style={{ left: at(fidelity.value) }} />}
          {other && <span className="qpm-Axis-other" style={span(other)} />}
        </div>
        <div className="qpm-Axis-ends qpm-quiet qpm-num">
          <span>{axis.start}</span>
          <span>{axis.end}</span>
        </div>
      </div>
      {other && fidelity.hellinger && <p className="qpm-quiet qpm-num">{`Hellinger: ${ranged(fidelity.hellinger)}`}</p>}
    </>
  );
}
