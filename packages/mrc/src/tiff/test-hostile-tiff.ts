/** Damaged and malicious TIFF, BigTIFF and EER files, and a function that uses them in every way. */
import * as fc from 'fast-check';
import { parseHeader } from '../header/header.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { renderPreview } from '../pictures/preview.ts';
import { defaultPreviews } from '../pictures/preview-request.ts';
import { sourceOf } from '../samples/test-phantom.ts';
import { layoutOf } from '../voxels/voxels.ts';
import { checkDecoded, summariseDecoded } from './as-mrc.ts';
import { TiffDataError } from './block-stream.ts';
import { openTiff } from './decoded.ts';
import { describeTiff } from './describe.ts';
import { eerImage, eerMetadata, greyImage, type Image, type Tag, writeTiff } from './test-tiff.ts';
import { checkTiff } from './walk.ts';

const MAX_READS = 20_000;
/** Bytes of a decoded file that are read. */
const MAX_READ_BYTES = 2 ** 20;

const anyNumber = fc.oneof(
  fc.constantFrom(0, 1, 2, 8, 255, 4_096, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
  fc.nat(200),
  fc.nat(2 ** 31 - 1),
);
const TAGS = [254, 256, 257, 258, 259, 270, 273, 277, 278, 279, 282, 284, 296, 317, 322, 323, 324, 325, 339, 65_001];
const oddTag: fc.Arbitrary<Tag> = fc.record({
  tag: fc.constantFrom(...TAGS, 65_007, 65_008, 65_009, 1),
  type: fc.constantFrom(2, 3, 4, 5, 7, 16),
  values: fc.oneof(fc.array(anyNumber, { maxLength: 5 }), fc.string({ maxLength: 300 })),
});

const grey: fc.Arbitrary<Image> = fc
  .record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 30 }),
    bits: fc.constantFrom(8 as const, 16 as const, 32 as const, 64 as const),
    format: fc.constantFrom('unsigned' as const, 'signed' as const, 'float' as const),
    isLzw: fc.boolean(),
    hasPredictor: fc.boolean(),
    tile: fc.option(fc.constant([16, 16] as const), { nil: undefined }),
    rowsPerStrip: fc.integer({ min: 1, max: 30 }),
    byteOrder: fc.constantFrom('little' as const, 'big' as const),
    tags: fc.array(oddTag, { maxLength: 2 }),
  })
  .map((how) => greyImage({ ...how, tile: how.tile as [number, number] }, (x, y) => x * y));

const eer: fc.Arbitrary<Image> = fc
  .record({
    compression: fc.constantFrom(65_000 as const, 65_001 as const, 65_002 as const),
    bits: fc.option(fc.tuple(fc.integer({ min: 1, max: 16 }), fc.nat(4), fc.nat(4)), { nil: undefined }),
    strips: fc.integer({ min: 1, max: 3 }),
    tags: fc.array(oddTag, { maxLength: 2 }),
    metadata: fc.dictionary(fc.constantFrom('numberOfFrames', 'totalDose', 'x', 'sensorPixelSize.width'), fc.string()),
  })
  .map(({ metadata, bits, ...how }) =>
    eerImage({ width: 64, height: 32, ...how, ...(bits && { bits }), tags: [eerMetadata(metadata), ...how.tags] }, [
      { x: 3, y: 9 },
      { x: 60, y: 20 },
    ]),
  );

export const hostileTiff: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .record({
      images: fc.array(fc.oneof(grey, eer), { maxLength: 4 }),
      isBig: fc.boolean(),
      byteOrder: fc.constantFrom('little' as const, 'big' as const),
      junk: fc.array(fc.tuple(fc.nat(6_000), fc.nat(255)), { maxLength: 6 }),
      length: fc.option(fc.nat(6_000), { nil: undefined, freq: 5 }),
    })
    .map(({ images, junk, length, ...format }) => {
      const bytes = writeTiff(images, format);
      for (const [at, byte] of junk) if (at < bytes.length) bytes[at] = byte;
      return bytes.subarray(0, length);
    }),
  fc.uint8Array({ maxLength: 400 }).map((rest) => Uint8Array.from([0x49, 0x49, 42, 0, 8, 0, 0, 0, ...rest])),
  fc.uint8Array({ maxLength: 400 }),
);

/** Uses a file in every way that Cryolift does. @throws Error when this package has a fault. */
export async function useTiff(bytes: Uint8Array): Promise<void> {
  const whole = sourceOf(bytes);
  let reads = 0;
  const source = {
    async read(offset: number, target: Uint8Array) {
      if (++reads > MAX_READS) throw new Error(`${reads} reads of a file of ${bytes.length} bytes`);
      await whole.read(offset, target);
    },
  };
  const check = await checkTiff(source, bytes.length);
  if (!check.tiff) return;
  JSON.stringify(check, (_, each: unknown) => {
    if (typeof each === 'number' && !Number.isFinite(each)) throw new Error(`a number is ${each}`);
    return each;
  });
  describeTiff(check.tiff);
  const summary = summariseDecoded(check.tiff);
  const decoded = await openTiff(source, bytes.length);
  if (!decoded) return;
  if (!summary) throw new Error('a decoded file has no summary');
  try {
    await readSome(decoded.source, decoded.sizeBytes);
    const header = new Uint8Array(HEADER_BYTES);
    await decoded.source.read(0, header);
    const parsed = parseHeader(header, decoded.sizeBytes);
    const layout = layoutOf(parsed, decoded.sizeBytes, decoded.overrides);
    if (!layout) throw new Error('a decoded file has no layout');
    if (layout.dataBytes > MAX_READ_BYTES) return;
    for (const request of defaultPreviews(summary)) {
      await renderPreview(decoded.source, parsed, layout, { ...request, sizePx: 64 });
    }
    checkDecoded(decoded);
  } catch (error) {
    if (!(error instanceof TiffDataError)) throw error;
  }
}

async function readSome(source: { read(at: number, target: Uint8Array): Promise<void> }, sizeBytes: number) {
  const piece = new Uint8Array(4_096);
  for (let at = 0; at < Math.min(sizeBytes, MAX_READ_BYTES); at += piece.length) {
    await source.read(at, piece.subarray(0, Math.min(piece.length, sizeBytes - at)));
  }
}
