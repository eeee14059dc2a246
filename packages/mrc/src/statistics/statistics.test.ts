import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { randomNumbers } from '../samples/test-phantom.ts';
import { Moments } from './moments.ts';
import { Statistics, type VoxelStatistics } from './statistics.ts';

function of(mode: number, values: ArrayLike<number>): VoxelStatistics {
  const statistics = new Statistics({ mode });
  statistics.add(Float32Array.from(values));
  return statistics.result();
}

function assertSame(found: VoxelStatistics, wanted: VoxelStatistics): void {
  const { mean, sd, ...exact } = found;
  const { mean: wantedMean, sd: wantedSd, ...wantedExact } = wanted;
  assert.deepEqual(exact, wantedExact);
  const scale = Math.abs(wantedMean ?? 0) + (wantedSd ?? 0) + 1e-300;
  assert.ok(Math.abs((mean ?? 0) - (wantedMean ?? 0)) <= 1e-9 * scale, `${mean} ${wantedMean}`);
  assert.ok(Math.abs((sd ?? 0) - (wantedSd ?? 0)) <= 1e-6 * scale, `${sd} ${wantedSd}`);
}

const floats = fc.array(fc.float({ noNaN: false }), { maxLength: 300 });

describe('Statistics', () => {
  test('gives the numbers of a sample computed by hand', () => {
    const { histogram, ...numbers } = of(2, [
      1,
      2,
      3,
      4,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
    assert.deepEqual(numbers, { count: 4, min: 1, max: 4, mean: 2.5, sd: Math.sqrt(1.25), nan: 1, inf: 2, hot: 0 });
    assert.equal(histogram?.edges[0], 1);
    assert.equal(histogram?.edges.at(-1), 4);
  });

  test('without finite values gives counts and null for the rest', () => {
    const nothing = { count: 0, min: null, max: null, mean: null, sd: null, hot: 0, histogram: null };
    assert.deepEqual(of(2, []), { ...nothing, nan: 0, inf: 0 });
    assert.deepEqual(of(2, [Number.NaN, Number.NEGATIVE_INFINITY]), { ...nothing, nan: 1, inf: 1 });
  });

  test('keeps its precision when the mean is a million deviations from 0', () => {
    const { mean, sd } = of(
      2,
      Float32Array.from({ length: 10_000 }, (_, at) => 1e6 + (at % 2)),
    );
    assert.equal(mean, 1_000_000.5);
    assert.ok(Math.abs((sd ?? 0) - 0.5) < 1e-9, String(sd));
  });

  test('gives exactly 0 as the deviation of equal values', () => {
    assert.deepEqual(of(2, new Float32Array(10_000).fill(0.1)).sd, 0);
    assert.deepEqual(of(6, new Float32Array(10_000).fill(65_535)).sd, 0);
  });

  test('bytes give the numbers of their values, at any address and in either byte order', () => {
    const random = randomNumbers(5);
    for (const layout of [
      { mode: 0, isSigned: true },
      { mode: 0, isSigned: false },
      { mode: 1 },
      { mode: 1, byteOrder: 'big' },
      { mode: 6 },
      { mode: 6, byteOrder: 'big' },
    ] as const) {
      const { mode, byteOrder = 'little', isSigned = null } = { byteOrder: undefined, isSigned: null, ...layout };
      const width = mode === 0 ? 1 : 2;
      for (const count of [1, 2, 3, 5, 16_384, 40_001]) {
        const bytes = new Uint8Array(width * count + 1).map(() => random() * 256).subarray(1);
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const values = Float32Array.from({ length: count }, (_, at) => {
          if (mode === 0) return isSigned ? view.getInt8(at) : view.getUint8(at);
          return mode === 1
            ? view.getInt16(2 * at, byteOrder === 'little')
            : view.getUint16(2 * at, byteOrder === 'little');
        });
        const [counted, summed] = [new Statistics({ mode, byteOrder, isSigned }), new Statistics({ mode: 2 })];
        const [into, wanted] = [new Moments(), new Moments()];
        counted.addBytes(bytes, into);
        summed.add(values, 0, count, wanted);
        const { histogram: _, ...found } = counted.result();
        const { histogram: __, ...expected } = summed.result();
        assertSame({ ...found, histogram: null }, { ...expected, histogram: null });
        assert.deepEqual([into.count, into.mean.toPrecision(9)], [count, wanted.mean.toPrecision(9)]);
        assert.ok(Math.abs(into.sd - wanted.sd) <= 1e-9 * wanted.sd, `${into.sd}, not ${wanted.sd}`);
        assertSame(counted.result(), of(mode, values));
      }
    }
  });

  test('equal bytes have a deviation of exactly 0, also in a section', () => {
    for (const mode of [0, 1, 6]) {
      const into = new Moments();
      const statistics = new Statistics({ mode, isSigned: false });
      statistics.addBytes(new Uint8Array(100_000).fill(255), into);
      assert.deepEqual([into.sd, statistics.result().sd], [0, 0], `mode ${mode}`);
    }
  });

  test('hot voxels are counted, and neither the tails of a volume nor sparse electrons are hot', () => {
    const random = randomNumbers(6);
    const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const usual = (mean: number, sd: number) => Float32Array.from({ length: 200_000 }, () => mean + sd * gauss());
    const whole = usual(1000, 40).map(Math.round);
    assert.equal(of(1, whole).hot, 0);
    assert.equal(of(2, usual(0, 1)).hot, 0);
    assert.equal(of(2, usual(1e6, 1)).hot, 0);
    for (const mode of [1, 2]) {
      assert.equal(
        of(
          mode,
          whole.map((value, at) => (at % 5000 === 7 ? 30_000 : value)),
        ).hot,
        40,
        `mode ${mode}`,
      );
    }
    assert.equal(of(2, usual(0, 1).fill(1e9, 4, 5).fill(2000, 9, 12)).hot, 4);
    const sparse = Float32Array.from({ length: 200_000 }, () => (random() < 0.02 ? 1 : 0)).fill(3, 100, 110);
    assert.equal(of(0, sparse).hot, 0);
    assert.equal(of(0, sparse.fill(100, 50, 52)).hot, 2);
  });

  test('merged pieces in any order give the result of the whole', () => {
    fc.assert(
      fc.property(fc.array(floats, { maxLength: 6 }), (pieces) => {
        const merged = new Statistics({ mode: 2 });
        for (const piece of [...pieces].reverse()) {
          const one = new Statistics({ mode: 2 });
          one.add(Float32Array.from(piece));
          merged.merge(one);
        }
        assertSame(merged.result(), of(2, pieces.flat()));
      }),
    );
  });

  test('histogram: counts are exact, edges ascend from minimum to maximum', () => {
    const check = (mode: number, values: readonly number[]) => {
      const { count, min, max, histogram } = of(mode, values);
      if (!histogram) return assert.equal(count, 0);
      const { edges, counts } = histogram;
      assert.equal(edges.length, counts.length + 1);
      assert.ok(counts.length <= 256, `${counts.length} bins`);
      assert.equal(edges[0], min);
      assert.ok((edges.at(-1) as number) >= (max as number));
      const finite = Float32Array.from(values).filter(Number.isFinite);
      counts.forEach((found, bin) => {
        const [lower, upper] = [edges[bin] as number, edges[bin + 1] as number];
        assert.ok(lower < upper || counts.length === 1, `${lower} ${upper}`);
        const isLast = bin === counts.length - 1;
        const wanted = finite.filter((value) => value >= lower && (isLast ? value <= upper : value < upper)).length;
        assert.equal(found, wanted, `from ${lower} to ${upper}`);
      });
    };
    fc.assert(fc.property(floats, (values) => check(2, values)));
    const ordinary = fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { maxLength: 300 });
    fc.assert(fc.property(ordinary, (values) => check(2, values)));
    fc.assert(fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 })), (values) => check(1, values)));
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 65_535 })), (values) => check(6, values)));
    check(0, [-128, 127, 0]);
    check(2, [5, 5, 5]);
    check(2, [-0, 0]);
    check(2, [-1, -0, -0, 0, 1]);
    check(2, [-1, -0, -(2 ** -149), 2 ** -149, 0, 1]);
  });

  test('histogram: bins of ordinary data have about equal widths', () => {
    const values = Float32Array.from({ length: 100_000 }, (_, at) => Math.sin(at) * 100);
    const { edges = [], counts = [] } = of(2, values).histogram ?? {};
    assert.ok(counts.length > 150, `${counts.length} bins`);
    const widest = Math.max(...counts.map((_, bin) => (edges[bin + 1] as number) - (edges[bin] as number)));
    assert.ok(widest < 4 * (200 / 256), `the widest bin has ${widest}`);
  });
});
