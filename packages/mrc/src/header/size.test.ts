import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeFileSize } from './size.ts';

const bytesOf = (mode: number, nx: number, ny: number, nz: number, nsymbt = 0) =>
  computeFileSize({ nx, ny, nz, mode, nsymbt })?.bytes;

test('file size: exact for every mode', () => {
  const voxels = 5n * 6n * 7n;
  const expected: readonly (readonly [number, bigint])[] = [
    [0, voxels],
    [1, voxels * 2n],
    [2, voxels * 4n],
    [3, voxels * 4n],
    [4, voxels * 8n],
    [6, voxels * 2n],
    [12, voxels * 2n],
    [16, voxels * 3n],
    [101, 3n * 6n * 7n],
  ];
  for (const [mode, dataBytes] of expected) assert.equal(bytesOf(mode, 5, 6, 7, 161), 1024n + 161n + dataBytes);
});

test('file size: a 4-bit row with even NX has no padding', () => {
  assert.equal(bytesOf(101, 6, 5, 2), 1024n + 3n * 5n * 2n);
});

test('file size: the declared size reveals 4-bit rows without padding', () => {
  const dimensions = { nx: 5, ny: 6, nz: 7, mode: 101, nsymbt: 0 };
  const unpadded = 1024 + (5 * 6 * 7) / 2;
  assert.deepEqual(computeFileSize(dimensions, unpadded), { bytes: BigInt(unpadded), isUnpadded: true });
  assert.deepEqual(computeFileSize(dimensions, unpadded + 1), { bytes: 1024n + 126n, isUnpadded: false });
  assert.equal(computeFileSize({ ...dimensions, mode: 0 }, unpadded)?.isUnpadded, false);
  // RELION refuses rows that would end in the middle of a byte at the end of a section.
  assert.equal(computeFileSize({ ...dimensions, ny: 7, nz: 2 }, 1024 + 35)?.isUnpadded, false);
});

test('file size: the largest dimensions do not overflow', () => {
  const most = 2 ** 31 - 1;
  assert.equal(bytesOf(4, most, most, most, most), 1024n + BigInt(most) + 8n * BigInt(most) ** 3n);
});

test('file size: undefined for MRCZ, unknown modes and a negative NSYMBT', () => {
  assert.equal(bytesOf(1002, 5, 6, 7), undefined);
  assert.equal(bytesOf(7, 5, 6, 7), undefined);
  assert.equal(bytesOf(2, 5, 6, 7, -1), undefined);
});
