import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { decodeVoxels, extentOf, layoutOf, sectionExtent, type VoxelLayout } from './voxels.ts';

function layout(fields: Partial<HeaderFields> & Pick<HeaderFields, 'nx' | 'ny' | 'nz' | 'mode'>, sizeBytes: number) {
  return layoutOf(parseHeader(buildHeader(fields), sizeBytes), sizeBytes);
}

function decode(mode: number, bytes: ArrayLike<number>, more: Partial<VoxelLayout> = {}): number[] {
  const one = layout({ nx: 1, ny: 1, nz: 1, mode }, 4096);
  assert.ok(one);
  const target = new Float32Array(8);
  // An odd address, where wider typed arrays cannot start.
  const odd = new Uint8Array(bytes.length + 1).subarray(1);
  odd.set(bytes);
  return [...target.subarray(0, decodeVoxels({ ...one, ...more }, odd, target))];
}

function bytesOf(values: ArrayBufferView, isSwapped = false): Uint8Array {
  const bytes = new Uint8Array(values.buffer.slice(0));
  const width = values.byteLength / (values as Float32Array).length;
  if (isSwapped) for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
  return bytes;
}

describe('decodeVoxels', () => {
  const big = { byteOrder: 'big' } as const;

  test('reads a Buffer at any address, and leaves its bytes as they are', () => {
    const one = layout({ nx: 1, ny: 1, nz: 1, mode: 2 }, 4096);
    const two = layout({ nx: 1, ny: 1, nz: 1, mode: 1 }, 4096);
    assert.ok(one && two);
    const swapped = Buffer.from(bytesOf(Float32Array.of(0.5, -1e10), true));
    const target = new Float32Array(2);
    for (const _ of [1, 2]) {
      assert.equal(decodeVoxels({ ...one, ...big }, swapped, target), 2);
      assert.deepEqual([...target], [0.5, Math.fround(-1e10)]);
    }
    const odd = Buffer.concat([Buffer.alloc(1), bytesOf(Int16Array.of(-2, 32767))]).subarray(1);
    assert.equal(decodeVoxels(two, odd, target), 2);
    assert.deepEqual([...target], [-2, 32767]);
  });

  test('reads every mode in both byte orders', () => {
    for (const swapped of [false, true]) {
      const more = swapped ? big : {};
      assert.deepEqual(decode(1, bytesOf(Int16Array.of(-2, 32767), swapped), more), [-2, 32767]);
      assert.deepEqual(decode(2, bytesOf(Float32Array.of(0.5, -1e10), swapped), more), [0.5, Math.fround(-1e10)]);
      assert.deepEqual(decode(3, bytesOf(Int16Array.of(3, -4), swapped), more), [5]);
      assert.deepEqual(decode(4, bytesOf(Float32Array.of(-6, 8), swapped), more), [10]);
      assert.deepEqual(decode(6, bytesOf(Uint16Array.of(1, 65535), swapped), more), [1, 65535]);
      assert.deepEqual(decode(12, bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00), swapped), more), [
        1,
        -2,
        2 ** -24,
        Number.POSITIVE_INFINITY,
        Number.NaN,
      ]);
    }
    assert.deepEqual(decode(0, [0, 127, 255], { isSigned: false }), [0, 127, 255]);
    assert.deepEqual(decode(0, [0, 127, 255], { isSigned: true }), [0, 127, -1]);
    assert.deepEqual(decode(16, [1, 2, 3, 30, 30, 30]), [2, 30]);
    assert.deepEqual(decode(101, [0x21, 0xf3]), [1, 2, 3, 15]);
  });

  test('skips an incomplete voxel at the end', () => {
    assert.deepEqual(decode(2, [0, 0, 128, 63, 1, 2, 3]), [1]);
  });
});

describe('layoutOf', () => {
  test('finds the data after the extended header, and the row order of the standard', () => {
    const found = layout({ nx: 4, ny: 3, nz: 2, mode: 1, nsymbt: 160 }, 1024 + 160 + 48);
    assert.ok(found);
    assert.equal(found.dataOffset, 1184);
    assert.equal(found.dataBytes, 48);
    assert.equal(found.isFlipped, false);
    assert.deepEqual(sectionExtent(found, 1), { start: 1184 + 24, end: 1184 + 48, skip: 0 });
    assert.deepEqual(extentOf(found, 4, 1, 3), { start: 1184 + 34, end: 1184 + 38, skip: 0 });
  });

  test('detects files whose first row is at the top', () => {
    const epu = { nx: 2, ny: 2, nz: 1, mode: 0, nsymbt: 768, exttyp: 'FEI1', nversion: 20_140 };
    assert.equal(layout(epu, 1024 + 768 + 4)?.isFlipped, true);
    assert.equal(layout({ nx: 2, ny: 2, nz: 1, mode: 0, axes: [1, -2, 3] }, 1028)?.isFlipped, true);
  });

  test('finds the rows of 4-bit files with odd NX, padded or written by RELION', () => {
    const padded = layout({ nx: 3, ny: 2, nz: 2, mode: 101 }, 1024 + 8);
    const packed = layout({ nx: 3, ny: 2, nz: 2, mode: 101 }, 1024 + 6);
    assert.ok(padded && packed);
    assert.deepEqual(extentOf(padded, 1), { start: 1026, end: 1028, skip: 0 });
    assert.deepEqual(extentOf(packed, 1), { start: 1025, end: 1027, skip: 1 });
    assert.deepEqual(sectionExtent(packed, 1), { start: 1027, end: 1030, skip: 0 });
  });

  test('returns null when the voxels cannot be read', () => {
    const one = { nx: 8, ny: 8, nz: 1, mode: 2 };
    assert.equal(layout(one, 1024 + 255), null);
    assert.equal(layout({ ...one, mode: 1002 }, 1024 + 256), null);
    assert.equal(layout({ ...one, nsymbt: -1 }, 1024 + 256), null);
    assert.equal(layout({ ...one, nz: 2 ** 31 - 1 }, 1024 + 256), null);
    assert.equal(layout({ ...one, ny: 0 }, 1024 + 256), null);
  });
});
