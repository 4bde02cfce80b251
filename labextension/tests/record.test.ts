import { describe, expect, it } from 'vitest';

import { readRecord } from '../src/record';
import { document } from './fixtures';

describe('a record from outside', () => {
  it.each([null, 3, 'text', [], {}, { schema: 2, status: 'completed' }, { schema: 1 }])('is refused when it is none: %j', value => {
    expect(readRecord(value)).toBeNull();
  });

  it('survives any part of the wrong kind', () => {
    const whole = document();
    for (const key of Object.keys(whole).filter(name => name !== 'schema' && name !== 'status')) {
      for (const wrong of [null, 3, 'text', [1, null, 'x'], { a: [] }, true]) {
        expect(readRecord({ ...whole, [key]: wrong }), `${key} ${JSON.stringify(wrong)}`).not.toBeNull();
      }
    }
  });

  it('loses control characters and direction overrides', () => {
    expect(readRecord(document({ name: 'a\u202eb\u0007c\nd' }))?.name).toBe('a b c d');
  });

  it('is bounded in length', () => {
    const huge = readRecord(document({ name: 'x'.repeat(100_000), notes: Array(10_000).fill('note') }));
    expect(huge?.name.length).toBeLessThanOrEqual(5000);
    expect(huge?.notes.length).toBeLessThanOrEqual(256);
  });
});
