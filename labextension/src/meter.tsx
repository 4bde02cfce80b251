export interface MeterProps {
  /** Share from 0 to 1; null when nobody can tell, drawn as a striped bar. */
  used: number | null;
  reserved?: number;
  tight?: boolean;
  /** The same in words, for a screen reader. */
  label: string;
}

/** A share of a limit: used and held are told apart by pattern, not by colour alone. */
export function Meter({ used, reserved = 0, tight = false, label }: MeterProps) {
  const spoken = used === null ? {} : { 'aria-valuenow': Math.round((used + reserved) * 100) };
  return (
    <div className={`qpm-Meter${tight ? ' qpm-tight' : ''}`} role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-label={label} {...spoken}>
      <span className="qpm-Meter-used" style={{ width: width(used ?? 0) }} />
      <span className="qpm-Meter-held" style={{ width: width(used === null ? 1 : reserved) }} />
    </div>
  );
}

function width(share: number): string {
  return `${Math.min(1, Math.max(0, share)) * 100}%`;
}
