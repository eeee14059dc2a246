import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MrcHeader, parseHeader, type Triple } from './header.ts';
import { IMOD_STAMP, OFFSET } from './layout.ts';
import { buildHeader } from './writer.ts';

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const side = fc.integer({ min: 1, max: 65535 });
const float = fc.float();
const triple = (value: fc.Arbitrary<number>): fc.Arbitrary<Triple> => fc.tuple(value, value, value);
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 80 }).map((value) => value.trim());

const header: fc.Arbitrary<MrcHeader> = fc
  .record({
    byteOrder: fc.constantFrom('little' as const, 'big' as const),
    nx: side,
    ny: side,
    nz: side,
    mode: fc.constantFrom(0, 1, 2, 3, 4, 6, 12, 16, 101),
    nstart: triple(int),
    m: triple(int),
    cella: triple(float),
    cellb: triple(float),
    axes: fc.constantFrom<Triple>([1, 2, 3], [3, 1, 2], [2, 1, 3]),
    dmin: float,
    dmax: float,
    dmean: float,
    rms: float,
    ispg: int,
    nsymbt: fc.nat(2 ** 31 - 1),
    exttyp: fc.constantFrom('FEI1', 'CCP4', '\0\0\0\0', '\u00ff\u0001A '),
    nversion: int,
    nint: fc.integer({ min: -32_768, max: 32_767 }),
    nreal: fc.integer({ min: -32_768, max: 32_767 }),
    imodStamp: int,
    imodFlags: int,
    origin: triple(float),
    map: fc.constantFrom('MAP ', 'MAP\0'),
    nlabl: int,
    label: fc.array(text, { minLength: 10, maxLength: 10 }),
  })
  .map((fields) => ({ ...fields, machst: fields.byteOrder === 'little' ? [0x44, 0x44, 0, 0] : [0x11, 0x11, 0, 0] }));

test('parseHeader: reads what buildHeader wrote, in both byte orders and at any memory offset', () => {
  fc.assert(
    fc.property(header, fc.nat(7), (written, shift) => {
      const memory = new Uint8Array(2048);
      memory.set(buildHeader(written), shift);
      assert.deepEqual(parseHeader(memory.subarray(shift)), written);
    }),
  );
});

test('parseHeader: each field is at the offset of MRC2014', () => {
  const bytes = buildHeader({
    byteOrder: 'big',
    nx: 258,
    ny: 3,
    nz: 4,
    mode: 2,
    nsymbt: 160,
    exttyp: 'SERI',
    imodStamp: IMOD_STAMP,
    rms: 1.5,
    label: ['first', 'second'],
  });
  const view = new DataView(bytes.buffer);
  assert.equal(view.getInt32(0), 258);
  assert.equal(view.getInt32(12), 2);
  assert.equal(view.getInt32(92), 160);
  assert.equal(String.fromCharCode(...bytes.subarray(104, 108)), 'SERI');
  assert.equal(view.getInt32(152), 1146047817);
  assert.equal(String.fromCharCode(...bytes.subarray(208, 212)), 'MAP ');
  assert.deepEqual([...bytes.subarray(212, 216)], [0x11, 0x11, 0, 0]);
  assert.equal(view.getFloat32(216), 1.5);
  assert.equal(view.getInt32(220), 2);
  assert.equal(String.fromCharCode(...bytes.subarray(304, 310)), 'second');
});

test('parseHeader: without MAP the origin is read at its place before 2000, and RMS is undetermined', () => {
  const bytes = buildHeader({ nx: 2, ny: 2, nz: 2, mode: 2, map: '\0\0\0\0', machst: [0, 0, 0, 0] });
  const view = new DataView(bytes.buffer);
  [10, 20, 30].forEach((value, axis) => {
    view.setFloat32(OFFSET.oldOrigin + 4 * axis, value, true);
  });
  const { origin, rms } = parseHeader(bytes);
  assert.deepEqual(origin, [10, 20, 30]);
  assert.equal(rms, -1);
});

test('labels: UTF-8 or Latin-1, with invisible characters made visible', () => {
  const bytes = buildHeader({
    nx: 1,
    ny: 1,
    nz: 1,
    mode: 0,
    label: [' a\u0007b\0c\u202e \n', 'Müller, 1.1 Å', '\0\0'],
  });
  const latin1 = (text: string) => [...text].map((char) => char.charCodeAt(0));
  bytes.set(latin1('M\u00fcller, 1.1 \u00c5'), OFFSET.label + 3 * 80);
  // A full label may end within a UTF-8 character; the characters before it show that it is UTF-8.
  bytes.set(latin1('1.1 \u00c5'.padStart(80, '-')), OFFSET.label + 4 * 80);
  bytes.set(new TextEncoder().encode(`${'Å'.repeat(39)}-Å`).subarray(0, 80), OFFSET.label + 5 * 80);
  // Programs in C leave earlier data after an empty text.
  bytes.set(latin1('\0ld text'), OFFSET.label + 6 * 80);
  bytes.set(latin1('a\u0085b\u00ad\u007f'), OFFSET.label + 7 * 80);
  assert.deepEqual(parseHeader(bytes).label.slice(0, 8), [
    'a\u2407b\u2400c<U+202E>',
    'Müller, 1.1 Å',
    '',
    'Müller, 1.1 Å',
    '1.1 Å'.padStart(80, '-'),
    `${'Å'.repeat(39)}-`,
    '',
    'a<U+0085>b<U+00AD>\u2421',
  ]);
});

test('parseHeader: throws RangeError for fewer than 1024 bytes', () => {
  assert.throws(() => parseHeader(new Uint8Array(1023)), RangeError);
});
