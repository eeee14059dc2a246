import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { MAX_EXTENDED_BYTES, parseExtendedHeader, readExtendedHeader } from './extended-header.ts';
import { extendedLayout } from './layout.ts';
import { toFloat } from './serialem.ts';
import { agardRecords, feiRecords, shorts } from './test-extended.ts';

const fields = { nx: 8, ny: 8, nz: 3, mode: 1, nversion: 20140 } as const;

function parse(bytes: Uint8Array, more: Partial<HeaderFields>) {
  const header = parseHeader(buildHeader({ ...fields, nsymbt: bytes.length, ...more }), 1024 + bytes.length + 384);
  return parseExtendedHeader(header, bytes);
}

for (const byteOrder of ['little', 'big'] as const) {
  const isLittle = byteOrder === 'little';

  describe(`extended header, ${byteOrder}-endian`, () => {
    test('FEI1 and FEI2: how the first image was taken, and the tilt of each', () => {
      for (const [exttyp, bytes] of [
        ['FEI1', 768],
        ['FEI2', 888],
      ] as const) {
        const records = feiRecords(
          [-3, 0, 3].map((tilt) => ({ tilt, bytes })),
          isLittle,
        );
        const found = parse(records, { exttyp, byteOrder });
        assert.deepEqual(found?.tilts, [-3, 0, 3], exttyp);
        assert.deepEqual(found?.acquisition, {
          microscope: 'TITAN52336320',
          camera: 'BM-Falcon',
          application: 'Fei EPU 3.1',
          voltage: 300,
          magnification: 105_000,
          pixel_size: [1.5, 1.5],
          dose: 45,
          defocus: -2.5,
          exposure: 1.25,
          slit: 20,
          tilt_axis: null,
          stage: [0, 0],
        });
      }
    });

    test('SerialEM: tilt, stage, magnification and dose, with EXTTYP and from before it', () => {
      // Tilt, piece, stage, magnification, intensity, dose: all six.
      const records = shorts([-300, 5, 6, 7, 250, -125, 330, 12_500, 77, 1, ...Array(20).fill(0)], isLittle);
      for (const exttyp of ['SERI', '\0\0\0\0', '    ']) {
        const found = parse(records, { exttyp, nint: 20, nreal: 63, byteOrder });
        assert.equal(found?.layout, 'serialem');
        assert.deepEqual(found?.tilts, [-3, 0, 0]);
        const { stage, magnification, dose } = found?.acquisition ?? {};
        assert.deepEqual({ stage, magnification, dose }, { stage: [10, -5], magnification: 33_000, dose: 19_713 });
      }
    });

    test("Agard's format: the first float is the tilt; FEI's programs also stored the pixel size", () => {
      const first = [-20, 0, 1e-5, -2e-5, 0, 0, 0, -4e-6, 0.5, 100, 87, 4.5e-10, 29_000, 300_000];
      const records = agardRecords(
        [first, [0], [20]].map((floats) => first.with(0, floats[0] as number)),
        isLittle,
      );
      for (const exttyp of ['AGAR', '\0\0\0\0']) {
        const found = parse(records, { exttyp, nint: 0, nreal: 32, byteOrder });
        assert.deepEqual([found?.layout, found?.tilts], ['agard', [-20, 0, 20]]);
        const { pixel_size, voltage, tilt_axis, defocus, exposure } = found?.acquisition ?? {};
        assert.deepEqual(
          { pixel_size, voltage, tilt_axis, defocus, exposure },
          { pixel_size: [4.5, 4.5], voltage: 300, tilt_axis: 87, defocus: -4, exposure: 0.5 },
        );
      }
    });
  });
}

test('FEI: a value counts only when its bit is set; angles of one version are corrected as in IMOD', () => {
  const unset = parse(feiRecords([{ tilt: 5, mask: 0 }]), { exttyp: 'FEI1' });
  assert.deepEqual([unset?.tilts, unset?.acquisition?.pixel_size, unset?.acquisition?.voltage], [[], null, null]);
  const large = parse(feiRecords([{ tilt: 300, version: '4.4.0.4981' }]), { exttyp: 'FEI1' });
  assert.deepEqual(large?.tilts, [5.235988]);
});

test('FEI: records end at the first that is damaged; values that cannot be right are left out', () => {
  for (const bytes of [0, -1, 767, 2 ** 31 - 1]) {
    const found = parse(feiRecords([{ tilt: 1 }, { tilt: 2, bytes }, { tilt: 3 }]), {
      exttyp: 'FEI1',
    });
    assert.deepEqual(found?.tilts, [1], String(bytes));
  }
  const odd = parse(feiRecords([{ tilt: Number.NaN, pixel: 1e9 }]), { exttyp: 'FEI1' });
  assert.deepEqual([odd?.tilts, odd?.acquisition?.pixel_size], [[], null]);
});

test('symmetry: a blank EXTTYP with a space group and lines of 80 characters', () => {
  const lines = ['X,  Y,  Z', '-X,  Y+1/2,  -Z'].map((line) => line.padEnd(80)).join('');
  const bytes = new TextEncoder().encode(lines);
  assert.deepEqual(parse(bytes, { ispg: 4, exttyp: '\0\0\0\0' })?.symmetry, ['X,  Y,  Z', '-X,  Y+1/2,  -Z']);
  assert.equal(parse(bytes, { ispg: 0, exttyp: '\0\0\0\0' }), null);
  assert.equal(parse(bytes.subarray(1), { ispg: 4, exttyp: '\0\0\0\0' }), null);
  assert.equal(parse(bytes, { ispg: 4, exttyp: 'WHAT' }), null);
});

test('layout: NINT and NREAL must fit together; NINT is the bytes of the bits that are set', () => {
  const layout = (more: Partial<HeaderFields>) =>
    extendedLayout(parseHeader(buildHeader({ ...fields, nsymbt: 1000, exttyp: '\0\0\0\0', ...more })));
  assert.equal(layout({ nint: 2, nreal: 1 }), 'serialem');
  assert.equal(layout({ nint: 3, nreal: 1 }), 'agard');
  assert.equal(layout({ nint: 2, nreal: 1, exttyp: 'AGAR' }), 'agard');
  assert.equal(layout({ nint: 3, nreal: 1, exttyp: 'SERI' }), null);
  for (const [nint, nreal] of [
    [0, 0],
    [-1, 1],
    [0, -1],
    [32_767, 32_767],
    [0, 257],
  ] as const) {
    assert.equal(layout({ nint, nreal }), null, `${nint} ${nreal}`);
  }
  assert.equal(layout({ nint: 0, nreal: 251 }), null);
  assert.equal(layout({ nsymbt: 0, nint: 2, nreal: 1 }), null);
});

test('SerialEM: floats in two short integers', () => {
  assert.deepEqual(
    [toFloat(77, 1), toFloat(-77, 1), toFloat(1, 256 + 3), toFloat(128, -256 * 14)],
    [19_713, -19_713, 518, 2],
  );
});

test('reading: never more than the limit or the file, whatever NSYMBT says', async () => {
  const header = parseHeader(
    buildHeader({ ...fields, nz: 2 ** 31 - 1, nsymbt: 2 ** 31 - 1, exttyp: 'SERI', nint: 2, nreal: 1 }),
  );
  const reads: number[] = [];
  const source = {
    async read(offsetBytes: number, target: Uint8Array) {
      assert.equal(offsetBytes, 1024);
      reads.push(target.length);
    },
  };
  await readExtendedHeader(source, header, 2 ** 40);
  await readExtendedHeader(source, header, 5000);
  await readExtendedHeader(source, header, 10);
  assert.deepEqual(reads, [MAX_EXTENDED_BYTES, 5000 - 1024, 0]);
});
