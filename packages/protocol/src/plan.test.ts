import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eachPart, GIB, KIB, MAX_PART_COUNT, MIB, type PartLimits, partExtent, planParts, TIB } from './plan.ts';

const LIMITS: PartLimits = { partSizeBytes: 8 * MIB, minPartSizeBytes: 64 * KIB, maxPartSizeBytes: 5 * GIB };

test('planParts: sizes around one part', () => {
  const part = 8 * MIB;
  const counts = [0, 1, part - 1, part, part + 1].map((sizeBytes) => planParts(sizeBytes, LIMITS).partCount);
  assert.deepEqual(counts, [0, 1, 1, 1, 2]);
});

test('planParts: the part size grows in whole MiB only when 10,000 parts do not suffice', () => {
  assert.deepEqual(planParts(10 * GIB, LIMITS), { partSizeBytes: 8 * MIB, partCount: 1280 });
  assert.deepEqual(planParts(10_000 * 8 * MIB, LIMITS), { partSizeBytes: 8 * MIB, partCount: 10_000 });
  assert.deepEqual(planParts(10_000 * 8 * MIB + 1, LIMITS), { partSizeBytes: 9 * MIB, partCount: 8889 });
  assert.deepEqual(planParts(16 * TIB, LIMITS), { partSizeBytes: 1678 * MIB, partCount: 9999 });
});

test('planParts: a requested size is kept between the limits', () => {
  assert.equal(planParts(100 * MIB, LIMITS, 1).partSizeBytes, 64 * KIB);
  assert.equal(planParts(100 * MIB, LIMITS, 1 * MIB).partSizeBytes, 1 * MIB);
  assert.equal(planParts(100 * MIB, LIMITS, 100 * GIB).partSizeBytes, 5 * GIB);
  assert.equal(planParts(20 * GIB, LIMITS, 1 * MIB).partSizeBytes, 3 * MIB);
});

test('planParts: a size is rounded up to a multiple of the step, within the limits', () => {
  const limits = { ...LIMITS, partSizeStepBytes: 64 * KIB };
  assert.equal(planParts(100 * MIB, limits, 1).partSizeBytes, 64 * KIB);
  assert.equal(planParts(100 * MIB, limits, 100_000).partSizeBytes, 128 * KIB);
  assert.equal(planParts(100 * MIB, limits, 128 * KIB).partSizeBytes, 128 * KIB);
  assert.equal(planParts(100 * GIB, limits, 5 * GIB - 1).partSizeBytes, 5 * GIB);
  assert.equal(planParts(20 * GIB, limits, 1_000_000).partSizeBytes, 3 * MIB);
});

test('planParts: throws for an invalid size and for a file that needs more than 10,000 parts', () => {
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) assert.throws(() => planParts(size, LIMITS), RangeError);
  assert.throws(() => planParts(MAX_PART_COUNT * 5 * GIB + 1, LIMITS), RangeError);
  // A storage that takes fewer parts.
  assert.deepEqual(planParts(GIB, { ...LIMITS, maxPartCount: 100 }), { partSizeBytes: 11 * MIB, partCount: 94 });
  assert.throws(() => planParts(100 * 5 * GIB + 1, { ...LIMITS, maxPartCount: 100 }), RangeError);
});

test('planParts: the parts cover the file exactly, with at most 10,000 parts', () => {
  const size = fc.oneof(
    fc.nat(200 * MIB),
    fc.maxSafeNat().map((bytes) => bytes % (16 * TIB)),
  );
  const request = fc.option(fc.integer({ min: 1, max: 10 * GIB }), { nil: undefined });
  fc.assert(
    fc.property(size, request, (sizeBytes, requested) => {
      const { partSizeBytes, partCount } = planParts(sizeBytes, LIMITS, requested);
      assert.ok(partCount <= MAX_PART_COUNT);
      assert.ok(partSizeBytes >= LIMITS.minPartSizeBytes && partSizeBytes <= LIMITS.maxPartSizeBytes);
      if (partCount === 0) return assert.equal(sizeBytes, 0);
      const last = partExtent(sizeBytes, partSizeBytes, partCount - 1);
      assert.equal(last.offset + last.length, sizeBytes);
      assert.ok(last.length > 0 && last.length <= partSizeBytes);
    }),
  );
});

test('eachPart: yields every index of inclusive ranges', () => {
  assert.deepEqual(
    [
      ...eachPart([
        [0, 2],
        [5, 5],
      ]),
    ],
    [0, 1, 2, 5],
  );
});
