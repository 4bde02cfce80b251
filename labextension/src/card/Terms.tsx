import type { ReactNode } from 'react';

import type { Rows } from '../measured';

/** Terms and what they are, in two columns; further terms as children. */
export function Terms({ rows, children }: { rows: Rows; children?: ReactNode }) {
  return (
    <dl className="qpm-num">
      {rows.map(([term, value]) => [<dt key={term}>{term}</dt>, <dd key={`${term} value`}>{value}</dd>])}
      {children}
    </dl>
  );
}
