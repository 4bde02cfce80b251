import { describe, expect, it } from 'vitest';

import { axisOf } from '../src/card/axis';
import { ago, amount, duration, interval, money, percent, percentRange, short, span } from '../src/format';

describe('figures', () => {
  it.each([
    ['0', 'USD', '$0.00'],
    ['0.0004', 'USD', '$0.0004'],
    ['3212', 'EUR', '€3,212.00'],
    ['1.5', 'HQC', '1.50 HQC'],
    ['-2', 'USD', '-$2.00'],
    ['12345678901234567890.123456789', 'USD', '$12,345,678,901,234,567,890.123456789']
  ])('writes money %s %s exactly', (value, currency, written) => {
    expect(money(value, currency)).toBe(written);
  });

  it.each(['', 'nan', '1e5', '0x10'])('never writes an unknown amount (%s) as zero', value => {
    expect(money(value, 'USD')).toBe('unknown');
  });

  it('gives quotas in their unit', () => {
    expect([amount('1000000', 'shots'), amount('12.5', 's'), amount('50', 'USD')]).toEqual(['1,000,000', '12.5 s', '$50.00']);
  });

  it('keeps a tiny share visible and a large one below all', () => {
    expect([percent(0), percent(0.00001), percent(0.479), percent(0.9999)]).toEqual(['0.0 %', '< 0.1 %', '47.9 %', '> 99.9 %']);
  });

  it('never shows an interval narrower than it is', () => {
    expect(interval(0.9514, 0.9646)).toBe('0.951 – 0.965');
    expect(interval(0.99991, 0.99998)).toBe('0.999910 – 0.999980');
    expect(interval(-0.0001, 0.5)).toBe('-0.001 – 0.500');
    expect(percentRange(0.57, 0.5068)).toBe('57.0 – 50.7 %');
  });

  it('writes times in the unit people use', () => {
    expect([duration(0.0124), duration(0.41), duration(185), duration(7260)]).toEqual(['12 ms', '0.4 s', '3 min 5 s', '2 h 1 min']);
    expect([span(0), span(59), span(61), span(7300), span(2 * 86400)]).toEqual(['0 s', '59 s', '1 min', '2 h', '2 days']);
  });

  it('says how long ago, and nothing for what is not a time', () => {
    const now = Date.parse('2026-11-22T12:02:00Z');
    expect([ago('2026-11-22T12:01:58Z', now), ago('2026-11-22T12:00:00Z', now), ago('soon', now)]).toEqual(['now', '2 min', '']);
  });

  it('shortens ids and leaves short ones alone', () => {
    expect([short('sha256:4be1d00dfeed'), short('01JDABCDEFGHIJKL'), short('J1')]).toEqual(['sha256:4be1…', '01JDABCDEF…', 'J1']);
  });

  it('draws every interval inside its axis, above 1 and below 0 too', () => {
    for (const [low, high] of [[0.951, 0.965], [0.9995, 1.02], [-0.3, 0.2], [0, 0]] as const) {
      const axis = axisOf(low, high);
      expect(axis.start).toBeLessThanOrEqual(low);
      expect(axis.end).toBeGreaterThanOrEqual(high);
    }
  });
});
