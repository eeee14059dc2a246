import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listWords } from './words.ts';
import { buildHeader } from './writer.ts';

const fields = { nx: 3, ny: 4, nz: 5, mode: 2, cella: [2.7, 3, 4], nsymbt: 20, nint: 2, nreal: 1 } as const;

for (const byteOrder of ['little', 'big'] as const) {
  test(`words: all 56, as they stand, ${byteOrder}-endian`, () => {
    const words = listWords(buildHeader({ ...fields, byteOrder, exttyp: 'SERI' }), byteOrder);
    assert.deepEqual(
      words.map(({ word }) => word),
      Array.from({ length: 56 }, (_, index) => index + 1),
    );
    const value = Object.fromEntries(words.map((word) => [word.name, word.value]));
    assert.deepEqual(
      [value.NX, value.NZ, value.CELLA_X, value.EXTTYP, value.MAP, value['NINT,NREAL'], value.ORIGIN_Z, value.NLABL],
      ['3', '5', '2.7', '"SERI"', '"MAP "', '2, 1', '0', '0'],
    );
    assert.equal(words[53]?.name, 'MACHST');
    assert.equal(words[53]?.value, byteOrder === 'little' ? '44 44 00 00' : '11 11 00 00');
    assert.equal(words[0]?.bytes, byteOrder === 'little' ? '03 00 00 00' : '00 00 00 03');
  });
}

test('words: damaged values are shown, and every float32 so that it can be read back', () => {
  const header = buildHeader({ ...fields, cella: [Number.NaN, Math.fround(1 / 3), -0], map: 'M\0\x07\xff' });
  const words = listWords(header, 'little');
  const value = Object.fromEntries(words.map((word) => [word.name, word.value]));
  assert.deepEqual([value.CELLA_X, value.MAP], ['NaN', '"M\\u0000\\u0007ÿ"']);
  assert.equal(Math.fround(Number(value.CELLA_Y)), Math.fround(1 / 3));
  assert.throws(() => listWords(header.subarray(1), 'little'), RangeError);
});
