/** A quote, and a price in words; `qpm_lab/display/spending.py` says the same. */

import { type Fields, text } from './fields';
import { money } from './format';

export interface Quote {
  currency: string;
  low: string;
  high: string;
  source: string;
  asOf: string;
  stale: boolean;
}

export function readQuote(found: Fields): Quote {
  return {
    currency: text(found.currency),
    low: text(found.low),
    high: text(found.high),
    source: text(found.source),
    asOf: text(found.as_of),
    stale: found.stale === true
  };
}

/** The amount, and where it comes from: ['$1.10 – $4.51', 'quoted (price list, 2026-07-23)']. */
export function priceOf(quote: Quote | null): [string, string] {
  if (!quote?.high) {
    return ['unknown', 'no price is known'];
  }
  const high = money(quote.high, quote.currency);
  const figure = quote.low && Number(quote.low) !== Number(quote.high) ? `${money(quote.low, quote.currency)} – ${high}` : high;
  return [figure, sourceOf(quote, Number(quote.high) !== 0)];
}

export function sourceOf(quote: Quote | null, priced: boolean): string {
  if (!quote) {
    return '';
  }
  if (!priced && quote.source) {
    return quote.source;
  }
  const dated = [quote.source, quote.asOf].filter(Boolean).join(', ');
  return `quoted${dated && ` (${dated})`}${quote.stale ? '; this price is out of date' : ''}`;
}

/** A known price of zero that is not out of date. */
export function isFree(quote: Quote | null): boolean {
  return quote !== null && quote.high !== '' && Number(quote.high) === 0 && !quote.stale;
}
