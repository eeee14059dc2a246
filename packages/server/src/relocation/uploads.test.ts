import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KIB, MIB } from '@cryolift/protocol/plan';
import { draftRow } from '../db/test-rows.ts';
import { DISK_LIMITS } from '../storage/disk/disk-uploads.ts';
import { S3_LIMITS } from '../storage/s3/limits.ts';
import { SHARED_LIMITS } from '../storage/shared/shared-uploads.ts';
import { fits } from './uploads.ts';

test('relocation: an upload fits when the target can hold its parts', () => {
  const planned = (partSize: number, partCount: number) =>
    draftRow({ size: partSize * partCount, part_size: partSize, part_count: partCount });
  for (const [row, disk, shared, s3] of [
    [planned(8 * MIB, 3), true, true, true],
    [planned(MIB, 3), true, true, false],
    // Two servers would write in one page.
    [planned(8 * MIB + KIB, 3), true, false, true],
    [planned(8 * MIB + KIB, 1), true, true, true],
    [planned(8 * MIB, 10_001), false, false, false],
  ] as const) {
    const found = [DISK_LIMITS, SHARED_LIMITS, S3_LIMITS].map((limits) => fits(row, limits));
    assert.deepEqual(found, [disk, shared, s3], `${row.part_count} parts of ${row.part_size}`);
  }
});
