import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ByteOrder, readStamp } from './byte-order.ts';
import { type MrcHeader, parseHeader } from './header.ts';
import { buildHeader, type HeaderFields } from './writer.ts';

const orders: readonly ByteOrder[] = ['little', 'big'];
const wrongStamps: readonly MrcHeader['machst'][] = [
  [0x44, 0x44, 0, 0],
  [0x11, 0x11, 0, 0],
  [0, 0, 0, 0],
  [0x44, 0, 0, 0],
];

test('byte order: the fields decide, with any stamp', () => {
  for (const byteOrder of orders) {
    for (const machst of wrongStamps) {
      for (const mode of [0, 1, 2, 101]) {
        const header = buildHeader({ nx: 4096, ny: 4096, nz: 40, mode, byteOrder, machst });
        assert.equal(parseHeader(header).byteOrder, byteOrder, `mode ${mode}, stamp ${machst}`);
      }
    }
  }
});

test('byte order: the exact file size breaks a tie of the fields', () => {
  // 256 × 65536 reads as 65536 × 256 in the other order, and axes of zeros are no evidence.
  const fields: HeaderFields = { nx: 256, ny: 65536, nz: 0x01000001, mode: 0, axes: [0, 0, 0], nsymbt: 0x100 };
  for (const byteOrder of orders) {
    for (const machst of wrongStamps) {
      const header = buildHeader({ ...fields, byteOrder, machst });
      const sizeBytes = 1024 + 0x100 + 256 * 65536 * 0x01000001;
      assert.equal(parseHeader(header, sizeBytes).byteOrder, byteOrder);
    }
  }
});

test('byte order: without a size, plausible sides, axes and NSYMBT decide', () => {
  const palindrome: HeaderFields = { nx: 0x01000001, ny: 0x01000001, nz: 0x01000001, mode: 0, axes: [0, 0, 0] };
  for (const byteOrder of orders) {
    for (const machst of wrongStamps) {
      for (const fields of [{ nx: 256, ny: 256 }, { axes: [3, 1, 2] as const }, { nsymbt: 160 }]) {
        const header = buildHeader({ ...palindrome, ...fields, byteOrder, machst });
        assert.equal(parseHeader(header).byteOrder, byteOrder, JSON.stringify(fields));
      }
    }
  }
});

test('byte order: a readable header outweighs plausible fields', () => {
  // NZ is negative in one order, so the header is unreadable in it.
  const header = buildHeader({ nx: 10, ny: 10, nz: 0x80000001 | 0, mode: 0 });
  assert.equal(parseHeader(header).byteOrder, 'big');
});

test('byte order: the stamp breaks a tie, otherwise it is little-endian', () => {
  const tie: HeaderFields = { nx: 0x01000001, ny: 0x01000001, nz: 0x01000001, mode: 0, axes: [0, 0, 0] };
  assert.equal(parseHeader(buildHeader({ ...tie, machst: [0x11, 0x11, 0, 0] })).byteOrder, 'big');
  assert.equal(parseHeader(buildHeader({ ...tie, machst: [0x44, 0x41, 0, 0] })).byteOrder, 'little');
  assert.equal(parseHeader(buildHeader({ ...tie, machst: [0, 0, 0, 0] })).byteOrder, 'little');
});

test('readStamp: 44 44 and 44 41 are little, 11 11 is big, others are null', () => {
  assert.equal(readStamp([0x44, 0x44, 0, 0]), 'little');
  assert.equal(readStamp([0x44, 0x41, 7, 7]), 'little');
  assert.equal(readStamp([0x11, 0x11, 0, 0]), 'big');
  assert.equal(readStamp([0x44, 0, 0, 0]), null);
  assert.equal(readStamp([0x11, 0x44, 0, 0]), null);
});
