/** A quote, and a price in words; `qpm_lab/display/spending.py` says the same. */

import { type Fields, part, text } from './fields';
import { money } from './format';

export interface Quote {
  currency: string;
  low: string;
  high: string;
  source: string;
  asOf: string;
  stale: boolean;
  /** Through whom it is bought and on which plan. */
  channel: string;
  /** A, B or C; empty where the source has none. */
  confidence: string;
  formula: string;
  /** Why it is unknown or out of date, and how to supply it. */
  reason: string;
  /** In the vendor's own unit, where it does not bill in money. */
  native: Range | null;
  /** In the currency of the price list, where that is another. */
  listed: Range | null;
}

interface Range {
  unit: string;
  low: string;
  high: string;
}

export function readQuote(found: Fields): Quote {
  return {
    currency: text(found.currency),
    low: text(found.low),
    high: text(found.high),
    source: text(found.source),
    asOf: text(found.as_of),
    stale: found.stale === true,
    channel: text(found.channel),
    confidence: text(found.confidence),
    formula: text(found.formula),
    reason: text(found.reason),
    native: part(found.native, told => readRange(told, told.unit)),
    listed: part(found.listed, told => readRange(told, told.currency))
  };
}

function readRange(found: Fields, unit: unknown): Range {
  return { unit: text(unit), low: text(found.low), high: text(found.high) };
}

/** What the amount of a job that has ended rests on; of any other basis the quote. */
export const BASES: Record<string, string> = {
  billed: 'billed by the vendor',
  metered: 'metered: the usage the vendor named, at the listed price',
  refunded: 'not charged by the vendor'
};

/** The amount, and where it comes from: ['$1.10 – $4.51', 'quoted (price list, 2026-07-23)']. */
export function priceOf(quote: Quote | null): [string, string] {
  if (!quote?.high) {
    return ['unknown', quote?.reason || 'no price is known'];
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
  const dated = [quote.source, quote.asOf, quote.confidence && `confidence ${quote.confidence}`].filter(Boolean).join(', ');
  return `quoted${dated && ` (${dated})`}${quote.stale ? '; this price is out of date' : ''}`;
}

/** A known price of zero that is not out of date. */
export function isFree(quote: Quote | null): boolean {
  return quote !== null && quote.high !== '' && Number(quote.high) === 0 && !quote.stale;
}
