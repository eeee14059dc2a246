import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type MrcHeader, parseHeader } from './header/header.ts';
import { buildHeader } from './header/writer.ts';
import { decideKind } from './kind/kind.ts';
import { makePhantom } from './samples/test-phantom.ts';
import { makeOracleFiles } from './statistics/test-oracle.ts';
import { VoxelAnalysis } from './voxel-analysis.ts';
import { layoutOf, type VoxelLayout } from './voxels/voxels.ts';

function open(bytes: Uint8Array): { header: MrcHeader; layout: VoxelLayout } {
  const header = parseHeader(bytes, bytes.length);
  const layout = layoutOf(header, bytes.length);
  assert.ok(layout);
  return { header, layout };
}

/** The results of an analysis, rounded, because sums in another order differ in their last digits. */
function sum(analysis: VoxelAnalysis) {
  const { mean, sd, ...exact } = analysis.statistics();
  const round = (value: number | null) => value && Number(value.toPrecision(9));
  const rasters = (['x', 'y', 'z'] as const).map((axis) => analysis.section(axis));
  const all = [...rasters, analysis.average()].map(
    (raster) => raster && [...raster.values].map((value) => round(value)),
  );
  const { mean: means, sd: sds } = analysis.sectionStatistics() ?? { mean: [], sd: [] };
  const few = (value: number | null) => value && Number(value.toPrecision(5));
  return { ...exact, mean: round(mean), sd: round(sd), all, sections: [means.map(few), sds.map(few)] };
}

function wholeOf(bytes: Uint8Array, name: string) {
  const { header, layout } = open(bytes);
  const analysis = new VoxelAnalysis(layout, decideKind(header, name).kind);
  analysis.add(0, bytes);
  return sum(analysis);
}

describe('VoxelAnalysis', () => {
  for (const { name, bytes } of makeOracleFiles()) {
    const stack = `${name}s`;
    test(`${name}: chunks of any size in any order give the result of one pass`, () => {
      const whole = wholeOf(bytes, stack);
      const { layout } = open(bytes);
      fc.assert(
        fc.property(
          fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }),
          fc.infiniteStream(fc.nat()),
          (cuts, order) => {
            const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
            const chunks = edges
              .slice(1)
              .map((end, at) => ({ start: edges[at] as number, end, rank: order.next().value }));
            const analysis = new VoxelAnalysis(layout, 'stack');
            for (const { start, end } of chunks.sort((a, b) => a.rank - b.rank)) {
              // Sometimes at an odd address.
              const shifted = new Uint8Array(end - start + 1).subarray(1);
              shifted.set(bytes.subarray(start, end));
              analysis.add(start, shifted);
            }
            assert.deepEqual(sum(analysis), whole);
          },
        ),
        { numRuns: 15 },
      );
    });
  }

  test('single bytes from the end to the start give the result of one pass', () => {
    for (const { name, bytes } of makeOracleFiles().filter(({ name }) => /mode4-big|packed|rgb/.test(name))) {
      const { header, layout } = open(bytes);
      const analysis = new VoxelAnalysis(layout, decideKind(header, name).kind);
      for (let at = bytes.length - 1; at >= 0; at--) analysis.add(at, bytes.subarray(at, at + 1));
      assert.deepEqual(sum(analysis), wholeOf(bytes, name));
    }
  });

  test('section() gives the central sections, average() the mean of all sections', () => {
    const [nx, ny, nz] = [6, 4, 5];
    const voxels = new Float32Array(nx * ny * nz).map((_, at) => {
      const [x, y, z] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
      return x + 10 * y + 100 * z;
    });
    const bytes = new Uint8Array([...buildHeader({ nx, ny, nz, mode: 2 }), ...new Uint8Array(voxels.buffer)]);
    const { layout } = open(bytes);
    const analysis = new VoxelAnalysis(layout, 'stack');
    analysis.add(0, bytes);
    const pick = (axis: 'x' | 'y' | 'z') => analysis.section(axis);
    assert.deepEqual([pick('z').widthPx, pick('z').heightPx], [nx, ny]);
    assert.deepEqual([pick('y').widthPx, pick('y').heightPx], [nx, nz]);
    assert.deepEqual([pick('x').widthPx, pick('x').heightPx], [ny, nz]);
    assert.equal(pick('z').values[nx + 2], 2 + 10 + 200);
    assert.equal(pick('y').values[3 * nx + 2], 2 + 20 + 300);
    assert.equal(pick('x').values[3 * ny + 1], 3 + 10 + 300);
    assert.equal(analysis.average()?.values[nx + 2], 2 + 10 + 200);
    assert.equal(new VoxelAnalysis(layout, 'volume').average(), null);
  });

  test('sectionStatistics() gives the mean and the deviation of each section, in every mode', () => {
    const [nx, ny, nz] = [300, 5, 4];
    const worth = (x: number, y: number, z: number) => (z === 2 ? 0 : (x * 7 + y * 3 + z) % (z === 1 ? 1 : 11));
    for (const mode of [0, 1, 2, 3, 4, 6, 12, 16, 101]) {
      for (const kind of ['stack', 'volume'] as const) {
        for (const variant of [{ nx }, { nx: 7 }, { nx, byteOrder: 'big' as const }, { nx: 301 }]) {
          const fields = { ny, nz, mode, dmin: 0, dmax: 10, dmean: 5, ...variant };
          const { bytes, layout } = makePhantom(fields, worth);
          const analysis = new VoxelAnalysis(layout, kind);
          for (let at = 0; at < bytes.length; at += 997) analysis.add(at, bytes.subarray(at, at + 997));
          const { mean = [], sd = [] } = analysis.sectionStatistics() ?? {};
          for (let z = 0; z < nz; z++) {
            const values = Array.from({ length: fields.nx * ny }, (_, i) =>
              worth(i % fields.nx, Math.floor(i / fields.nx), z),
            );
            const wanted = values.reduce((sum, value) => sum + value, 0) / values.length;
            const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - wanted) ** 2, 0) / values.length);
            const which = JSON.stringify({ ...fields, kind, z });
            assert.ok(Math.abs((mean[z] ?? Number.NaN) - wanted) < 1e-5, `${which}: ${mean[z]}, not ${wanted}`);
            assert.ok(Math.abs((sd[z] ?? Number.NaN) - spread) < 1e-5, `${which}: ${sd[z]}, not ${spread}`);
          }
        }
      }
    }
  });

  test('sectionStatistics() is null for more than 2,048 sections, and its numbers for one without finite voxels', () => {
    const many = makePhantom({ nx: 2, ny: 1, nz: 2049, mode: 0 }, () => 1);
    const analysis = new VoxelAnalysis(many.layout, 'stack');
    analysis.add(0, many.bytes);
    assert.equal(analysis.sectionStatistics(), null);
    assert.equal(analysis.statistics().count, 2 * 2049);
    const empty = makePhantom({ nx: 2, ny: 2, nz: 2, mode: 2 }, (_, __, z) => (z === 0 ? Number.NaN : 3));
    const one = new VoxelAnalysis(empty.layout, 'stack');
    one.add(0, empty.bytes);
    assert.deepEqual(one.sectionStatistics(), { mean: [null, 3], sd: [null, 0] });
  });

  test('the rasters have the size that is asked for', () => {
    const { layout, bytes } = makePhantom({ nx: 300, ny: 200, nz: 2, mode: 1 }, (x) => x);
    for (const [rasterPx, width] of [
      [100, 100],
      [1024, 300],
    ] as const) {
      const analysis = new VoxelAnalysis(layout, 'stack', rasterPx);
      analysis.add(0, bytes);
      assert.deepEqual([analysis.section('z').widthPx, analysis.average()?.widthPx], [width, width]);
    }
  });

  test('bytes before and after the data are ignored', () => {
    const header = buildHeader({ nx: 2, ny: 2, nz: 1, mode: 0, nsymbt: 100, dmin: -1, dmax: 1 });
    const bytes = new Uint8Array(1024 + 100 + 4 + 50).fill(7);
    bytes.set(header);
    bytes.set([1, 2, 3, 4], 1124);
    const { count, min, max } = wholeOf(bytes, 'a.mrc');
    assert.deepEqual([count, min, max], [4, 1, 4]);
  });

  test('memory does not grow with the dimensions in the header', () => {
    const sizeBytes = 1024 + 2 ** 31 - 1;
    for (const [nx, ny, nz] of [
      [2 ** 31 - 1, 1, 1],
      [1, 2 ** 31 - 1, 1],
      [1, 1, 2 ** 31 - 1],
    ] as const) {
      const header = parseHeader(buildHeader({ nx, ny, nz, mode: 0 }), sizeBytes);
      const layout = layoutOf(header, sizeBytes);
      assert.ok(layout);
      const before = process.memoryUsage().arrayBuffers;
      const analysis = new VoxelAnalysis(layout, 'stack');
      analysis.add(1024 + 2 ** 30, new Uint8Array(10_000).fill(3));
      assert.equal(analysis.statistics().count, 10_000);
      assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 2 ** 20);
    }
  });
});
