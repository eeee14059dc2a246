import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMrc } from '../check/check.ts';
import { describeAxes, describeGeometry, volumeSections, voxelScale } from './geometry.ts';
import { parseHeader } from './header.ts';
import { voxelSize } from './meaning.ts';
import { buildHeader, type HeaderFields } from './writer.ts';

const volume = { nx: 73, ny: 43, nz: 25, mode: 2, ispg: 1 } as const;

function parse(fields: Partial<HeaderFields>) {
  return parseHeader(buildHeader({ ...volume, m: [80, 32, 64], cella: [40, 16, 32], ...fields }));
}

test('geometry: size, voxel size and extent are along X, Y, Z, whatever columns, rows and sections are', () => {
  const permuted = parse({ axes: [3, 1, 2], nstart: [-1, 2, -3], cella: [80, 64, 192], cellb: [90, 101.5, 90] });
  const { size, extent, nstart, cell, angles, axes } = describeGeometry(permuted);
  assert.deepEqual(size, [43, 25, 73]);
  assert.deepEqual(voxelSize(permuted), [1, 2, 3]);
  assert.deepEqual(extent, [43, 50, 219]);
  assert.deepEqual(
    { nstart, cell, angles, axes },
    {
      nstart: [-1, 2, -3],
      cell: [80, 64, 192],
      angles: [90, 101.5, 90],
      axes: [3, 1, 2],
    },
  );
  assert.equal(describeAxes(permuted), 'columns Z, rows X, sections Y');
});

test('geometry: axes that are no permutation count as X, Y, Z, and so does MAPR -2', () => {
  for (const axes of [
    [0, 0, 0],
    [1, 1, 3],
    [1, -2, 3],
    [-1, 2, 3],
  ] as const) {
    const header = parse({ axes });
    assert.deepEqual(describeGeometry(header).size, [73, 43, 25], axes.join());
    assert.equal(describeAxes(header), null);
  }
});

test('geometry: a stack of volumes has the extent of one', () => {
  const stack = { nx: 8, ny: 8, nz: 24, m: [8, 8, 6], cella: [16, 16, 12], ispg: 401 } as const;
  const { volumes, extent, size } = describeGeometry(parse(stack));
  assert.deepEqual({ volumes, extent, size }, { volumes: 4, extent: [16, 16, 12], size: [8, 8, 24] });
  assert.equal(volumeSections(parse({ ...stack, m: [8, 8, 5] })), 24);
  assert.equal(volumeSections(parse({ ...stack, m: [8, 8, 0] })), 24);
  assert.equal(volumeSections(parse({ ...stack, ispg: 1 })), 24);
});

test('geometry: NaN and infinity become null, because JSON has neither', () => {
  const cella = [Number.NaN, Number.POSITIVE_INFINITY, 3] as const;
  const { cell, origin, extent } = describeGeometry(parse({ cella, origin: cella }));
  assert.deepEqual({ cell, origin, extent }, { cell: [null, null, 3], origin: [null, null, 3], extent: null });
});

test('geometry: the relative lengths of a voxel are in the order of the file; doubtful ones are not used', () => {
  assert.deepEqual(voxelScale(parse({ axes: [3, 1, 2], cella: [80, 64, 192] })), [3, 1, 2]);
  for (const cella of [
    [80, 32, 64],
    [80, 32.1, 64],
    [80, 32, 6400],
    [0, 0, 0],
    [80, 32, 0],
  ] as const) {
    assert.deepEqual(voxelScale(parse({ cella })), [1, 1, 1], cella.join());
  }
});

test('cell_placeholder: a cell of 1 × 1 × 1 Å is no cell; the voxel size is not known', () => {
  const header = buildHeader({ ...volume, m: [73, 43, 25], cella: [1, 1, 1] });
  const check = checkMrc({ header, sizeBytes: 1024 + 4 * 73 * 43 * 25 });
  assert.ok(check.verdict === 'accepted');
  assert.deepEqual(
    check.warnings.map(({ code }) => code),
    ['cell_placeholder'],
  );
  assert.equal(check.mrc?.voxel_size, null);
  assert.deepEqual(voxelSize({ cella: [1, 1, 1], m: [1, 1, 1] }), [1, 1, 1]);
});

test('cell_not_orthogonal: angles other than 90° are noted; angles of 0 were never set', () => {
  const codes = (cellb: HeaderFields['cellb']) => {
    const header = buildHeader({ ...volume, m: [73, 43, 25], cella: [73, 43, 25], ...(cellb && { cellb }) });
    const check = checkMrc({ header, sizeBytes: 1024 + 4 * 73 * 43 * 25 });
    assert.ok(check.verdict === 'accepted');
    return check.notes.filter(({ code }) => code === 'cell_not_orthogonal').map(({ message }) => message);
  };
  assert.match(codes([90, 111.975, 90])[0] ?? '', /CELLB is 90°, 111\.975°, 90°/);
  for (const cellb of [
    [90, 90, 90],
    [0, 0, 0],
    [90, 90.001, 90],
    [Number.NaN, 90, 90],
  ] as const) {
    assert.deepEqual(codes(cellb), [], cellb.join());
  }
});
