import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMOD_STAMP } from './layout.ts';
import { decideRowOrder } from './row-order.ts';

const plain = { exttyp: '\0\0\0\0', nversion: 20141, imodStamp: 0, axes: [1, 2, 3] } as const;

test('row order: the first row is on top in the two cases of IMOD only, and the rule is named', () => {
  for (const [fields, first, code] of [
    [{}, 'bottom', 'standard'],
    [{ exttyp: 'FEI1', nversion: 20140 }, 'top', 'fei_20140'],
    [{ exttyp: 'FEI2', nversion: 20140 }, 'top', 'fei_20140'],
    [{ exttyp: 'FEI1', nversion: 20141 }, 'bottom', 'fei_other_version'],
    [{ exttyp: 'FEI2', nversion: 0 }, 'bottom', 'fei_other_version'],
    [{ exttyp: 'FEI1', nversion: 20140, imodStamp: IMOD_STAMP }, 'bottom', 'imod_stamp'],
    [{ exttyp: 'SERI', nversion: 20140 }, 'bottom', 'standard'],
    [{ axes: [1, -2, 3] }, 'top', 'mapr'],
    [{ axes: [1, -2, 3], imodStamp: IMOD_STAMP }, 'bottom', 'imod_stamp'],
    [{ axes: [-2, 1, 3] }, 'bottom', 'standard'],
  ] as const) {
    const found = decideRowOrder({ ...plain, ...fields });
    assert.deepEqual([found.first, found.evidence.code], [first, code], JSON.stringify(fields));
  }
});
