import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildHeader } from '../header/writer.ts';
import { checkMrc } from './check.ts';

const readFixture = (name: string) => new Uint8Array(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)));

test('checkMrc: a real EMDB map is accepted and summarised', () => {
  const header = readFixture('EMD-3001.map');
  const check = checkMrc({ header, sizeBytes: header.length, filename: 'EMD-3001.map' });
  assert.ok(check.verdict === 'accepted');
  assert.deepEqual(check.mrc, {
    nx: 73,
    ny: 43,
    nz: 25,
    mode: 2,
    bytes_per_voxel: 4,
    voxel_size: [0.44825, 0.3925, 0.45875],
    kind: 'volume',
    kind_evidence: { code: 'extension', message: 'the name ends in .map' },
    extended_header: { type: '', bytes: 160, holds: 'symmetry' },
    geometry: {
      size: [43, 25, 73],
      extent: [19.27475, 9.8125, 33.48875],
      volumes: 1,
      axes: [3, 1, 2],
      nstart: [0, -21, -12],
      m: [40, 12, 72],
      cell: [17.93, 4.71, 33.03],
      angles: [90, 94.326, 90],
      origin: [0, 0, 0],
      ispg: 4,
      nversion: 0,
    },
    row_order: {
      first: 'bottom',
      evidence: { code: 'standard', message: 'MRC2014 has the first row at the bottom' },
    },
    byte_order: 'little',
    expected_size: 315_084,
    stats: {
      min: -0.3681429624557495,
      max: 0.7216102480888367,
      mean: 0.0005329666892066598,
      rms: 0.15705722570419312,
    },
    labels: ['::::EMDATABANK.org::::EMD-3001::::'],
  });
  assert.deepEqual(check.warnings, []);
  assert.deepEqual(
    check.notes.map(({ code }) => code),
    ['version_undeclared', 'cell_not_orthogonal'],
  );
});

test('checkMrc: a correct file gives no finding', () => {
  const header = buildHeader({
    byteOrder: 'big',
    nx: 10,
    ny: 20,
    nz: 30,
    mode: 101,
    m: [10, 20, 30],
    cella: [25, 50, 75],
    ispg: 1,
    nsymbt: 768 * 30,
    exttyp: 'FEI1',
    dmin: -1,
    dmax: 1,
    dmean: 0,
    rms: 0.5,
    label: ['made by a test'],
  });
  const sizeBytes = 1024 + 768 * 30 + 5 * 20 * 30;
  assert.deepEqual(checkMrc({ header, sizeBytes }), {
    verdict: 'accepted',
    mrc: {
      nx: 10,
      ny: 20,
      nz: 30,
      mode: 101,
      bytes_per_voxel: 0.5,
      voxel_size: [2.5, 2.5, 2.5],
      kind: 'volume',
      kind_evidence: { code: 'ispg', message: 'ISPG is 1, which is for volumes' },
      extended_header: { type: 'FEI1', bytes: 23_040, holds: 'fei' },
      geometry: {
        size: [10, 20, 30],
        extent: [25, 50, 75],
        volumes: 1,
        axes: [1, 2, 3],
        nstart: [0, 0, 0],
        m: [10, 20, 30],
        cell: [25, 50, 75],
        angles: [90, 90, 90],
        origin: [0, 0, 0],
        ispg: 1,
        nversion: 20_141,
      },
      row_order: {
        first: 'bottom',
        evidence: {
          code: 'fei_other_version',
          message: 'EXTTYP is FEI1, but NVERSION is 20141: only with 20140 is the first row on top',
        },
      },
      byte_order: 'big',
      expected_size: sizeBytes,
      stats: { min: -1, max: 1, mean: 0, rms: 0.5 },
      labels: ['made by a test'],
    },
    rejections: [],
    warnings: [],
    notes: [],
  });
});

test('checkMrc: EXTTYP is left out without an extended header', () => {
  const header = buildHeader({ nx: 1, ny: 1, nz: 1, mode: 0, exttyp: 'SERI' });
  const check = checkMrc({ header, sizeBytes: 1025 });
  assert.ok(check.verdict === 'accepted');
  assert.deepEqual(check.mrc?.extended_header, { type: '', bytes: 0, holds: null });
});

test('checkMrc: stats are null unless all four are determined', () => {
  for (const rms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const header = buildHeader({ nx: 1, ny: 1, nz: 1, mode: 0, dmin: 0, dmax: 9, dmean: 4, rms });
    const check = checkMrc({ header, sizeBytes: 1025 });
    assert.ok(check.verdict === 'accepted');
    assert.equal(check.mrc?.stats, null);
  }
});

test('checkMrc: fewer than 1024 bytes of a larger file give header_incomplete', () => {
  const header = buildHeader({ nx: 1, ny: 1, nz: 1, mode: 0 }).subarray(0, 1023);
  assert.deepEqual(checkMrc({ header, sizeBytes: 1025 }), {
    verdict: 'header_incomplete',
    givenBytes: 1023,
    neededBytes: 1024,
  });
});

test('checkMrc: never throws, and its result survives JSON', () => {
  const anyBytes = fc.uint8Array({ minLength: 1024, maxLength: 1100 });
  // Random words make a readable header too seldom, so most runs break one word of a good one.
  const damaged = fc
    .tuple(
      fc.nat(255),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.constantFrom('little' as const, 'big' as const),
    )
    .map(([word, value, byteOrder]) => {
      const bytes = buildHeader({ nx: 4, ny: 3, nz: 2, mode: 2, byteOrder });
      bytes.set(value, word * 4);
      return bytes;
    });
  const size = fc.oneof(fc.constant(1024 + 96), fc.nat(4096), fc.maxSafeNat(), fc.double(), fc.integer());
  fc.assert(
    fc.property(fc.oneof(damaged, anyBytes), size, (header, sizeBytes) => {
      const check = checkMrc({ header, sizeBytes });
      assert.ok(check.verdict !== 'header_incomplete');
      assert.equal(check.verdict === 'rejected', check.rejections.length > 0);
      const json = JSON.parse(JSON.stringify(check));
      assert.deepEqual(json, JSON.parse(JSON.stringify(json)));
      if (check.mrc) assert.ok(Number.isSafeInteger(check.mrc.expected_size));
      if (json.mrc?.stats) assert.ok(Object.values(json.mrc.stats).every((value) => typeof value === 'number'));
    }),
    { numRuns: 2000 },
  );
});
