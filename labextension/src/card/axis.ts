/** A piece of the number line that holds a whole interval. Fidelity is not clipped to 0…1. */
export interface Axis {
  start: number;
  end: number;
}

const STARTS = [0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0];

export function axisOf(low: number, high: number): Axis {
  const start = STARTS.find(s => low >= s + 0.2 * (1 - s)) ?? (low >= 0 ? 0 : Math.floor(low / 0.5) * 0.5);
  if (high <= 1) {
    return { start, end: 1 };
  }
  const step = Math.max(1 - start, 0.001);
  return { start, end: Number((1 + step * Math.ceil((high - 1) / step)).toPrecision(6)) };
}

/** Where on the axis a value lies: 0 at its start, 1 at its end. */
export function place(axis: Axis, value: number): number {
  return (value - axis.start) / (axis.end - axis.start);
}
