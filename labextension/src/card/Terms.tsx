import type { Rows } from '../measured';

/** Terms and what they are, in two columns. */
export function Terms({ rows }: { rows: Rows }) {
  return (
    <dl className="qpm-num">
      {rows.map(([term, value]) => [<dt key={term}>{term}</dt>, <dd key={`${term} value`}>{value}</dd>])}
    </dl>
  );
}
