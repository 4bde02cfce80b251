/** How values of a document from elsewhere are read: bounded, and never trusted to have their type. */

export type Fields = Record<string, unknown>;

const MAX_TEXT = 5000;
export const MAX_ITEMS = 256;

/** Text without control characters or direction overrides that would reorder what stands beside it. */
export function text(value: unknown): string {
  if (typeof value === 'number') {
    return String(value);
  }
  return typeof value === 'string' ? value.slice(0, MAX_TEXT).replace(/[\p{Cc}\p{Cf}]/gu, ' ').trim() : '';
}

export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function fields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function items(value: unknown): Fields[] {
  const list = Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [];
  return list.map(fields).filter((item): item is Fields => item !== null);
}

export function list(value: unknown, most = MAX_ITEMS): unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

/** Reads a part that may be absent. */
export function part<T>(value: unknown, read: (found: Fields) => T): T | null {
  const found = fields(value);
  return found && read(found);
}
