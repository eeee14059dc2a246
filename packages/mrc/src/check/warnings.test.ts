import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { checkMrc } from './check.ts';

/** Checks a file of 10 × 12 × 4 voxels of mode 0, with these changes. */
function checkFile(changes: Partial<HeaderFields>, sizeBytes = 1024 + 10 * 12 * 4) {
  const check = checkMrc({ header: buildHeader({ nx: 10, ny: 12, nz: 4, mode: 0, ...changes }), sizeBytes });
  assert.ok(check.verdict === 'accepted', JSON.stringify(check));
  return check;
}

function assertWarned(check: ReturnType<typeof checkFile>, code: string, message: RegExp) {
  assert.deepEqual(
    check.warnings.map((warning) => warning.code),
    [code],
  );
  assert.match(check.warnings[0]!.message, message);
}

test('trailing_bytes: the file has more bytes than the header describes', () => {
  assertWarned(checkFile({}, 1024 + 480 + 100), 'trailing_bytes', /^100 bytes follow .*1,504 bytes.*1,604/);
});

test('unpadded_4bit_rows: rows without padding are reported, padded rows are not', () => {
  const padded = checkFile({ mode: 101, nx: 11 }, 1024 + 6 * 12 * 4);
  assert.deepEqual(padded.warnings, []);
  const unpadded = checkFile({ mode: 101, nx: 11 }, 1024 + (11 * 12 * 4) / 2);
  assertWarned(unpadded, 'unpadded_4bit_rows', /RELION/);
  assert.equal(unpadded.mrc?.expected_size, 1024 + 264);
});

test('map_id_wrong: MAP is missing, as in the micrographs of EMPIAR-10025', () => {
  const { warnings } = checkFile({ map: '\0\0\0\0', machst: [0, 0, 0, 0] });
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['map_id_wrong', 'machine_stamp_wrong'],
  );
});

test('machine_stamp_wrong: the stamp is unknown or gives the other byte order', () => {
  assertWarned(checkFile({ machst: [0x44, 0, 0, 0] }), 'machine_stamp_wrong', /44 00 00 00, which says no byte order/);
  const contradicted = checkFile({ machst: [0x11, 0x11, 0, 0] });
  assertWarned(contradicted, 'machine_stamp_wrong', /11 11 00 00, which says big-endian; .* as little-endian/);
  assert.equal(contradicted.mrc?.byte_order, 'little');
  const flipped = checkFile({ byteOrder: 'big', machst: [0x44, 0x44, 0, 0] });
  assert.equal(flipped.mrc?.byte_order, 'big');
  assert.deepEqual(checkFile({ machst: [0x44, 0x41, 0, 0] }).warnings, []);
});

test('axes_invalid: MAPC, MAPR, MAPS are not a permutation', () => {
  assertWarned(checkFile({ axes: [0, 0, 0] }), 'axes_invalid', /0, 0, 0/);
  assertWarned(checkFile({ axes: [1, -2, 3] }), 'axes_invalid', /1, -2, 3/);
  assert.deepEqual(checkFile({ axes: [3, 1, 2] }).warnings, []);
});

test('volume_stack_uneven: NZ is not a multiple of MZ', () => {
  assertWarned(checkFile({ ispg: 401, m: [10, 12, 3] }), 'volume_stack_uneven', /NZ 4 is not a multiple of MZ 3/);
  assertWarned(checkFile({ ispg: 401, m: [10, 12, -2], cella: [10, 12, 0] }), 'volume_stack_uneven', /MZ -2/);
  const even = checkFile({ ispg: 401, m: [10, 12, 2] });
  assert.deepEqual(even.warnings, []);
  assert.equal(even.mrc?.kind, 'volume_stack');
});

test('unusual_mode: modes that few programs read', () => {
  for (const [mode, voxelBytes] of [
    [3, 4],
    [4, 8],
    [16, 3],
  ] as const) {
    assertWarned(checkFile({ mode }, 1024 + 480 * voxelBytes), 'unusual_mode', new RegExp(`mode ${mode} `));
  }
});

test('size_not_checked: the size of an MRCZ file cannot be checked', () => {
  for (const mode of [1002, 6000, 3101]) {
    const check = checkFile({ mode }, 2000);
    assertWarned(check, 'size_not_checked', new RegExp(`${mode} marks an MRCZ`));
    assert.equal(check.mrc, null);
  }
});

test('voxel_size_implausible: outside 0.01 to 10,000 Å', () => {
  assertWarned(
    checkFile({ cella: [10e4 + 1, 12, 1], m: [10, 12, 1] }),
    'voxel_size_implausible',
    /in X: 100001 Å \/ 10\./,
  );
  assertWarned(checkFile({ cella: [10, -12, 1] }), 'voxel_size_implausible', /Y: -12/);
  assertWarned(checkFile({ ispg: 1, cella: [10, 12, Number.NaN] }), 'voxel_size_implausible', /Z: NaN/);
  assertWarned(checkFile({ m: [0, 12, 1] }), 'voxel_size_implausible', /X: 10 Å \/ 0/);
  assertWarned(checkFile({ cella: [1e-9, 12, 1] }), 'voxel_size_implausible', /X/);
});

test('voxel_size_implausible: unset voxel sizes and z of images are not reported', () => {
  const unset = checkFile({ cella: [0, 0, 0], m: [0, 0, 0] });
  assert.deepEqual(unset.warnings, []);
  assert.equal(unset.mrc?.voxel_size, null);
  assert.deepEqual(checkFile({ nz: 1, cella: [10, 12, 1e9] }, 1024 + 120).warnings, []);
  assert.deepEqual(checkFile({ cella: [10, 12, 1e9] }).warnings, []);
});

test('listWarnings: data of other programs in EXTRA are not reported', () => {
  const header = buildHeader({ nx: 10, ny: 12, nz: 4, mode: 0, nversion: 20140 });
  header.fill(0xab, 96, 108);
  header.fill(0xab, 112, 196);
  const check = checkMrc({ header, sizeBytes: 1504 });
  assert.ok(check.verdict === 'accepted');
  assert.deepEqual(check.warnings, []);
});
