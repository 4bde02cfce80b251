/** Where a job is at its vendor and what its price rests on; `qpm_lab/display/vendor.py` says the same. */

import { type Fields, fields, items, list, number, part, text } from './fields';
import { count, counted, money, moment, secondsSince, span } from './format';
import type { Rows } from './measured';
import type { Quote } from './quote';

/** Who gets the circuit, in the vendor's own words. */
export interface Place {
  vendor: string;
  region: string;
  legalSeat: string;
}

/** How a job stood at its vendor when that was last asked. */
export interface Standing {
  state: string;
  /** Jobs before it, where the vendor says so. */
  before: number | null;
  message: string;
  asOf: string;
}

/** Why a job waits for a person. */
export interface Parked {
  message: string;
  hint: string;
  vendor: string;
  /** Whether it is open that the vendor has all of it; otherwise only its answer could not be read. */
  unclear: boolean;
}

export interface AtVendor {
  place: Place | null;
  standing: Standing | null;
  parked: Parked | null;
  vendorIds: string[];
}

export function readAtVendor(found: Fields): AtVendor {
  return {
    place: part(found.place, p => ({ vendor: text(p.vendor), region: text(p.region), legalSeat: text(p.legal_seat) })),
    standing: readStanding(found.standing),
    parked: readParked(found.parked),
    vendorIds: list(found.vendor_ids).map(text).filter(Boolean)
  };
}

export function readStanding(value: unknown): Standing | null {
  return part(value, s => ({ state: text(s.state), before: number(s.queue_position), message: text(s.message), asOf: text(s.as_of) }));
}

export function readParked(value: unknown): Parked | null {
  return part(value, p => ({ message: text(p.message), hint: text(p.hint), vendor: text(p.vendor), unclear: p.unclear === true }));
}

/** 'IonQ · machine in United States · company in US'. */
export function destination(place: Place | null): string {
  return place
    ? [place.vendor, place.region && `machine in ${place.region}`, place.legalSeat && `company in ${place.legalSeat}`].filter(Boolean).join(' · ')
    : '';
}

/** Nobody outside has seen it yet, so where it would go can still be weighed. */
export function notSent(status: string): boolean {
  return ['dry_run', 'denied', 'awaiting_approval'].includes(status);
}

export function vendorRows(place: Place | null): Rows {
  const rows: Rows = [
    ['Vendor', place?.vendor ?? ''],
    ['Region', place?.region ?? ''],
    ['Company’s seat', place?.legalSeat ?? '']
  ];
  return rows.filter(([, words]) => words);
}

/** 'asked 12 s ago', by the clock of this page. */
export function asked(standing: Standing | null, now: number): string {
  const seconds = standing ? secondsSince(standing.asOf, now) : null;
  if (seconds === null) {
    return '';
  }
  return seconds < 2 ? 'asked just now' : `asked ${span(seconds)} ago`;
}

export function askedAt(standing: Standing | null): string {
  return standing?.asOf ? `asked at ${moment(standing.asOf)}` : '';
}

const CONFIDENCE: Record<string, string> = { A: 'the vendor’s own text', B: 'two third parties agree', C: 'one third party' };

const BASES: Record<string, string> = {
  billed: 'the vendor named the amount',
  metered: 'the vendor named the usage, priced by the list',
  quoted: 'the vendor named neither amount nor usage, so the quote counts',
  refunded: 'the vendor never took the job, or gives back what it did not finish'
};

/** What the price rests on; empty for a free one that has nothing to tell. */
export function priceRows(quote: Quote | null, basis: string): Rows {
  if (!quote || !(quote.channel || quote.confidence || quote.reason || quote.listed)) {
    return [];
  }
  const rows: Rows = [
    ['Cost is', BASES[basis] ? `${basis}: ${BASES[basis]}` : basis],
    ['Price from', quote.source],
    ['Seen on', quote.asOf + (quote.stale ? '; out of date' : '')],
    ['Confidence', CONFIDENCE[quote.confidence] ? `${quote.confidence}: ${CONFIDENCE[quote.confidence]}` : quote.confidence],
    ['Bought through', quote.channel],
    ['Formula', quote.formula],
    ['In its own unit', quote.native ? `${ends(quote.native.low, quote.native.high)} ${quote.native.unit}` : ''],
    ['As listed', quote.listed ? ends(money(quote.listed.low, quote.listed.unit), money(quote.listed.high, quote.listed.unit)) : ''],
    ['Not known because', quote.reason]
  ];
  return rows.filter(([, words]) => words);
}

function ends(low: string, high: string): string {
  return low === high ? high : `${low} – ${high}`;
}

/** A backend of the list, and what the vendor said when it was asked. */
export interface Backend {
  id: string;
  description: string;
  qubits: number | null;
  kind: string;
  local: boolean;
  noisy: boolean;
  state: string;
  region: string;
  legalSeat: string;
  gates: string[];
  live: { available: boolean | null; queue: number | null; calibratedAt: string; message: string } | null;
}

export interface Provider {
  id: string;
  title: string;
  state: string;
  note: string;
  /** What makes it ready, to be typed in a terminal. */
  commands: string[];
  backends: Backend[];
}

export function readProviders(value: unknown): Provider[] {
  return items(value).map(found => ({
    id: text(found.provider),
    title: text(found.title) || text(found.provider),
    state: text(found.state),
    note: text(found.note),
    commands: list(found.commands).map(text).filter(Boolean),
    backends: items(found.backends).map(readBackend)
  }));
}

function readBackend(found: Fields): Backend {
  return {
    id: text(found.id),
    description: text(found.description),
    qubits: number(found.qubits),
    kind: text(found.kind),
    local: found.local === true,
    noisy: found.noisy === true,
    state: text(found.state),
    region: text(found.region),
    legalSeat: text(found.legal_seat),
    gates: list(found.gates).map(text).filter(Boolean),
    live: 'available' in found ? readLive(found) : null
  };
}

function readLive(found: Fields): Backend['live'] {
  const available = typeof found.available === 'boolean' ? found.available : null;
  return { available, queue: number(found.queue), calibratedAt: text(found.calibrated_at), message: text(found.message) };
}

/** What the executed circuit counts for a price; empty for a record that has not counted it. */
export function executedRows(circuit: Fields): Rows {
  const measured = number(circuit.measurements);
  if (measured === null) {
    return [];
  }
  if (circuit.countable === false) {
    return [['Executed', 'not countable: it loops until a measurement ends it']];
  }
  const gates: [string, unknown][] = [['1', circuit.one_qubit_gates], ...Object.entries(fields(circuit.wide_gates) ?? {})];
  const words = gates.map(([qubits, many]) => (number(many) ? `${counted(number(many) ?? 0, 'gate')} on ${counted(Number(qubits) || 0, 'qubit')}` : ''));
  return [['Executed at most', [...words, `${count(measured)} measured or reset`].filter(Boolean).join(', ')]];
}
