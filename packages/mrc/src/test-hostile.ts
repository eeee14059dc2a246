/** Damaged and malicious headers, and functions that use such files in every way. */
import * as fc from 'fast-check';
import { checkMrc } from './check/check.ts';
import { parseHeader } from './header/header.ts';
import { HEADER_BYTES, OFFSET } from './header/layout.ts';
import { KNOWN_MODES } from './header/mode.ts';
import { buildHeader } from './header/writer.ts';
import { decideKind } from './kind/kind.ts';
import { encodePng } from './pictures/png.ts';
import { renderPreview } from './pictures/preview.ts';
import type { PreviewRequest } from './pictures/preview-request.ts';
import { sourceOf } from './samples/test-phantom.ts';
import { compareStatistics } from './statistics/compare.ts';
import { VoxelAnalysis } from './voxel-analysis.ts';
import { layoutOf } from './voxels/voxels.ts';

const MAX_INT = 2 ** 31 - 1;
const dimension = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 90 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 1, 2, 65_535, 65_536, 2 ** 30, MAX_INT, -MAX_INT) },
);
const mode = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KNOWN_MODES) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 5, 7, 102, 1002, 4101, MAX_INT) },
);
const number = fc.oneof(fc.float(), fc.constantFrom(0, -1, 1e30, -1e30, Number.NaN, Number.POSITIVE_INFINITY));
const triple = fc.tuple(number, number, number);
const axis = fc.constantFrom(-2, 0, 1, 2, 3, 4);

const header = fc.record({
  nx: dimension,
  ny: dimension,
  nz: dimension,
  mode,
  m: fc.tuple(dimension, dimension, dimension),
  cella: triple,
  axes: fc.tuple(axis, axis, axis),
  dmin: number,
  dmax: number,
  dmean: number,
  rms: number,
  ispg: fc.constantFrom(0, 1, 4, 401, 630, -5, MAX_INT),
  nsymbt: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1, -MAX_INT, MAX_INT, 49_920) },
  ),
  exttyp: fc.constantFrom('FEI1', 'CCP4', '\0\0\0\0', 'ÿÿÿÿ'),
  map: fc.constantFrom('MAP ', 'MAP\0', 'XXXX'),
  byteOrder: fc.constantFrom('little' as const, 'big' as const),
});

/** Contents of the data: one byte repeated (NaN, constant), or noise. */
const filling = fc.oneof(
  fc.constantFrom(0x00, 0xff, 0x7f).map((byte) => (bytes: Uint8Array) => void bytes.fill(byte)),
  fc.infiniteStream(fc.integer({ min: 0, max: 255 })).map((stream) => (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = stream.next().value;
  }),
);

/** A small file with such a header, some of whose bytes are overwritten. */
export const hostileFile: fc.Arbitrary<Uint8Array> = fc
  .record({
    header,
    fill: filling,
    dataBytes: fc.oneof(fc.nat(4_000), fc.constantFrom(-1, -2)),
    junk: fc.array(fc.tuple(fc.nat(HEADER_BYTES - 1), fc.nat(255)), { maxLength: 4 }),
  })
  .map(({ header: fields, fill, dataBytes, junk }) => {
    const start = buildHeader(fields);
    for (const [at, byte] of junk) start[at] = byte;
    const fits = exactDataBytes(fields);
    // Mostly the size that the header describes, if that is small.
    const length = dataBytes < 0 ? Math.min(fits, 200_000) : dataBytes;
    const bytes = new Uint8Array(HEADER_BYTES + length);
    fill(bytes);
    bytes.set(start);
    return bytes;
  });

function exactDataBytes({
  nx,
  ny,
  nz,
  nsymbt,
  mode: number,
}: {
  nx: number;
  ny: number;
  nz: number;
  nsymbt: number;
  mode: number;
}): number {
  const voxelBytes = number === 4 ? 8 : number === 101 ? 0.5 : number === 2 || number === 3 ? 4 : number === 16 ? 3 : 2;
  const bytes = nsymbt + Math.ceil(nx * voxelBytes) * ny * nz;
  return bytes >= 0 ? bytes : 0;
}

const REQUESTS: readonly Omit<PreviewRequest, 'sizePx' | 'contrast'>[] = [
  { kind: 'section', axis: 'x', slice: null },
  { kind: 'section', axis: 'y', slice: MAX_INT },
  { kind: 'section', axis: 'z', slice: 0 },
  { kind: 'average', axis: 'z', slice: null },
  { kind: 'montage', axis: 'z', slice: null },
  { kind: 'spectrum', axis: 'z', slice: null },
];

/** Uses a file in every way that Cryolift does. @throws Error when this package has a fault. */
export async function useFile(bytes: Uint8Array, filename: string): Promise<void> {
  const check = checkMrc({ header: bytes.subarray(0, 4096), sizeBytes: bytes.length, filename });
  JSON.stringify(check);
  const parsed = parseHeader(bytes, bytes.length);
  const layout = layoutOf(parsed, bytes.length);
  if (!layout) return;
  const analysis = new VoxelAnalysis(layout, decideKind(parsed, filename).kind);
  analysis.add(0, bytes.subarray(0, 2000));
  analysis.add(2000, bytes.subarray(2000));
  const statistics = analysis.statistics();
  if (statistics.count + statistics.nan + statistics.inf !== layout.nx * layout.ny * layout.nz) {
    throw new Error(`${JSON.stringify(statistics)} is not of ${layout.nx} x ${layout.ny} x ${layout.nz} voxels`);
  }
  compareStatistics(parsed, statistics);
  for (const request of REQUESTS) {
    const outcome = await renderPreview(sourceOf(bytes), parsed, layout, {
      ...request,
      sizePx: 64,
      contrast: 'percentile',
    });
    if (outcome.kind === 'picture') await encodePng(outcome.picture);
  }
}

/** The same for a header with a declared size of 4 PiB, of which only these bytes exist. */
export async function useHugeFile(bytes: Uint8Array): Promise<void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const sizeBytes = 2 ** 52;
  const parsed = parseHeader(bytes, sizeBytes);
  const layout = layoutOf(parsed, sizeBytes);
  if (!layout) return;
  new VoxelAnalysis(layout, 'stack').add(view.getInt32(OFFSET.nx, true) & 0xffff, bytes);
  for (const request of REQUESTS) {
    await renderPreview(sourceOf(bytes), parsed, layout, { ...request, sizePx: 1024, contrast: 'sigma' }).catch(
      (error: unknown) => {
        if (!(error instanceof RangeError && /past the end/.test(error.message))) throw error;
      },
    );
  }
}
