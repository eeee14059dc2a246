import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GIB, MIB } from '@cryolift/protocol/plan';
import { preferPartSize } from './part-size.ts';

test('part size: about a hundred parts, and a thousand over a wide-area path', () => {
  for (const [sizeBytes, near, wide] of [
    [MIB, null, null],
    [MIB + 1, MIB, MIB],
    [200 * MIB, 2 * MIB, MIB],
    [512 * MIB, 4 * MIB, MIB],
    [512 * MIB + 1, null, MIB],
    [4 * GIB, null, 4 * MIB],
    [4 * GIB + 1, null, null],
  ] as const) {
    const found = [preferPartSize(sizeBytes, 49), preferPartSize(sizeBytes, 50)];
    assert.deepEqual(found, [near, wide], `${sizeBytes} bytes`);
  }
});
