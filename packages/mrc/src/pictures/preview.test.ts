import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { makePhantom, type Phantom, sphereLattice } from '../samples/test-phantom.ts';
import { layoutOf, type VoxelSource } from '../voxels/voxels.ts';
import { renderPreview } from './preview.ts';
import type { PreviewRequest } from './preview-request.ts';

const MODES = [0, 1, 2, 3, 4, 6, 12, 16, 101];

function ask(request: Partial<PreviewRequest> = {}): PreviewRequest {
  return { kind: 'section', axis: 'z', slice: null, sizePx: 512, contrast: 'sigma', ...request };
}

async function draw({ source, header, layout }: Omit<Phantom, 'bytes'>, request: Partial<PreviewRequest> = {}) {
  const outcome = await renderPreview(source, header, layout, ask(request));
  assert.ok(outcome.kind === 'picture', JSON.stringify(outcome));
  return outcome.picture;
}

const small = { nx: 33, ny: 20, nz: 18, mode: 2 };
const whole = (x: number, y: number, z: number) => Math.round(sphereLattice(x, y, z));

describe('preview: every mode and byte order gives the same picture', () => {
  for (const mode of MODES) {
    test(`mode ${mode}`, async () => {
      const requests = [
        ask({ slice: 5 }),
        ask({ axis: 'y', slice: 7, sizePx: 16 }),
        ask({ axis: 'x', slice: 6 }),
        ask({ kind: 'average' }),
        ask({ kind: 'montage', sizePx: 64 }),
      ];
      const expectedLogarithms = new Map<string, Uint8Array>();
      for (const request of requests) {
        const expected = await draw(makePhantom(small, whole), request);
        const variants = [{}, { byteOrder: 'big' as const }, { nsymbt: 161 }, { isUnpadded: true }];
        for (const variant of variants) {
          const phantom = makePhantom({ ...small, mode, ...variant }, whole);
          const found = await draw(phantom, request);
          if (mode !== 3 && mode !== 4) {
            assert.deepEqual(found.gray, expected.gray, JSON.stringify({ request, variant }));
          } else if (request.kind === 'section' && request.sizePx === 512) {
            const logarithms = expectedLogarithms.get(request.axis);
            assert.deepEqual(found.gray, logarithms ?? found.gray, JSON.stringify({ request, variant }));
            expectedLogarithms.set(request.axis, found.gray);
          }
        }
      }
    });
  }

  test('the power spectrum too, except for complex modes', async () => {
    const square = { nx: 65, ny: 64, nz: 3, mode: 2 };
    const worth = (x: number, y: number, z: number) => (x * x + 3 * y + z) % 10;
    const expected = await draw(makePhantom(square, worth), { kind: 'spectrum' });
    for (const mode of MODES) {
      const { source, header, layout } = makePhantom({ ...square, mode, isUnpadded: true }, worth);
      const outcome = await renderPreview(source, header, layout, ask({ kind: 'spectrum' }));
      if (mode === 3 || mode === 4) assert.equal(outcome.kind === 'refused' && outcome.code, 'not_applicable');
      else assert.deepEqual(outcome.kind === 'picture' && outcome.picture.gray, expected.gray, `mode ${mode}`);
    }
  });
});

describe('preview: orientation', () => {
  const bright = ({ gray, widthPx }: { gray: Uint8Array; widthPx: number }) => {
    const index = gray.indexOf(Math.max(...gray));
    return [index % widthPx, Math.floor(index / widthPx)];
  };
  const one = (x: number, y: number, z: number) => (x === 1 && y === 2 && z === 0 ? 10 : 0);
  const plain = makePhantom({ nx: 8, ny: 6, nz: 5, mode: 0 }, one);
  const flipped = makePhantom({ nx: 8, ny: 6, nz: 5, mode: 0, axes: [1, -2, 3] }, one);

  test('the first row is at the bottom, except in the files of IMOD and EPU', async () => {
    for (const request of [ask({ slice: 0 }), ask({ kind: 'average' })]) {
      assert.deepEqual(bright(await draw(plain, request)), [1, 3]);
      assert.deepEqual(bright(await draw(flipped, request)), [1, 2]);
    }
    assert.deepEqual(bright(await draw(plain, { kind: 'montage' })), [1, 3]);
    assert.deepEqual(bright(await draw(flipped, { kind: 'montage' })), [1, 2]);
  });

  test('z increases upwards in x and y sections', async () => {
    for (const phantom of [plain, flipped]) {
      assert.deepEqual(bright(await draw(phantom, { axis: 'x', slice: 1 })), [2, 4]);
      assert.deepEqual(bright(await draw(phantom, { axis: 'y', slice: 2 })), [1, 4]);
    }
  });
});

test('preview: the central section is floor(n / 2); averages and montages have no section number', async () => {
  const phantom = makePhantom({ nx: 9, ny: 6, nz: 5, mode: 0 }, (_, __, z) => z);
  const slices = [];
  for (const axis of ['x', 'y', 'z'] as const) slices.push((await draw(phantom, { axis })).slice);
  assert.deepEqual(slices, [4, 3, 2]);
  assert.equal((await draw(phantom)).black, 2);
  assert.equal((await draw(phantom, { kind: 'average' })).slice, null);
  assert.equal((await draw(phantom, { kind: 'montage' })).slice, null);
});

test('preview: requests that cannot be drawn are refused with a reason', async () => {
  const { source, header, layout } = makePhantom({ nx: 70, ny: 60, nz: 1, mode: 0 }, () => 1);
  for (const [request, code] of [
    [{ slice: 1 }, 'slice_out_of_range'],
    [{ slice: -1 }, 'slice_out_of_range'],
    [{ slice: 0.5 }, 'slice_out_of_range'],
    [{ axis: 'x', slice: 70 }, 'slice_out_of_range'],
    [{ axis: 'y', slice: 60 }, 'slice_out_of_range'],
    [{ kind: 'spectrum', slice: 1 }, 'slice_out_of_range'],
    [{ kind: 'spectrum' }, 'not_applicable'],
    [{ kind: 'average' }, 'not_applicable'],
    [{ kind: 'montage' }, 'not_applicable'],
  ] as const) {
    const outcome = await renderPreview(source, header, layout, ask(request));
    assert.equal(outcome.kind === 'refused' && outcome.code, code, JSON.stringify(request));
  }
});

describe('preview: long rows', () => {
  /** A file of 3 × 2 rows of 100 stripes, worth 0 to 99, and how many bytes each read of it asks for. */
  function striped(nx: number): Omit<Phantom, 'bytes'> & { reads: number[] } {
    const reads: number[] = [];
    const source: VoxelSource = {
      async read(offset, target) {
        reads.push(target.length);
        for (let i = 0; i < target.length; i++) target[i] = Math.floor((((offset + i - 1024) % nx) * 100) / nx);
      },
    };
    return { ...describeFile({ nx, ny: 3, nz: 2, mode: 0, dmin: 0, dmax: 99, dmean: 50 }), source, reads };
  }

  test('a row longer than the buffer is read in runs', async () => {
    const file = striped(3_000_000);
    const picture = await draw(file, { sizePx: 100 });
    assert.deepEqual([picture.widthPx, picture.heightPx], [100, 1]);
    assert.ok(picture.gray.every((gray, x) => x === 0 || gray > picture.gray[x - 1]!));
    assert.ok(Math.max(...file.reads) <= 1 << 20);
  });

  test('a column of long rows is read voxel by voxel, of short rows in one read', async () => {
    for (const [nx, reads] of [
      [200_000, 6],
      [10_000, 1],
    ] as const) {
      const file = striped(nx);
      const picture = await draw(file, { axis: 'x', slice: nx - 1 });
      assert.deepEqual([picture.widthPx, picture.heightPx, picture.black], [3, 2, 99]);
      assert.equal(file.reads.length, reads);
    }
  });
});

test('preview: a header with false dimensions costs no memory, the read past the end fails', async () => {
  const most = 2 ** 31 - 1;
  const shapes = [
    [most, 1, 1],
    [1, most, 1],
    [1, 1, most],
    [most, 64, 2],
    [64, most, 2],
    [64, 64, most],
    [40_000, 40_000, 400_000],
  ] as const;
  for (const [nx, ny, nz] of shapes) {
    for (const mode of MODES) {
      const { header, layout } = describeFile({ nx, ny, nz, mode });
      for (const request of [
        ...(['x', 'y', 'z'] as const).map((axis) => ask({ axis, sizePx: 1024 })),
        ...(['average', 'montage', 'spectrum'] as const).map((kind) => ask({ kind })),
      ]) {
        let asked = 0;
        const source: VoxelSource = {
          async read(_, target) {
            asked += target.length;
            throw new Error('past the end');
          },
        };
        const outcome = await renderPreview(source, header, layout, request).catch((error) => error.message);
        assert.ok(outcome === 'past the end' || outcome.code === 'not_applicable', JSON.stringify(outcome));
        assert.ok(asked <= 1 << 20);
      }
    }
  }
});

function describeFile(fields: HeaderFields) {
  const header = parseHeader(buildHeader(fields));
  const layout = layoutOf(header, Number.MAX_SAFE_INTEGER);
  assert.ok(layout);
  return { header, layout };
}
