/** Walks through all directories of a TIFF, BigTIFF or EER file, and judges whether its data are whole. */
import { count, type Finding } from '../finding.ts';
import type { VoxelSource } from '../voxels/voxels.ts';
import { checkBlocks } from './blocks.ts';
import { eerCodeOf, isEer, nameCompression } from './compression.ts';
import { readDirectory, readText, type TiffDirectory } from './directory.ts';
import { explainNotDrawn } from './drawable.ts';
import { type EerMetadata, MAX_METADATA_BYTES, parseEerMetadata } from './eer-metadata.ts';
import type { TiffRejectionCode, TiffWarningCode } from './finding.ts';
import { readTiffHeader, TIFF_HEADER_BYTES, type TiffHeader } from './header.ts';
import { PagedReader } from './reader.ts';
import type { TiffSummary } from './summary.ts';

/** The longest exposures of EER have some 10,000 frames. */
const MAX_DIRECTORIES = 65_536;
/** Strips of all images together. */
const MAX_BLOCKS = 4_000_000;
const MAX_TEXT_BYTES = 1_000;
/** Å per pixel of microscopes; other programs write the resolution of a screen. */
const [LEAST_PIXEL, GREATEST_PIXEL] = [0.01, 1_000];

export interface TiffCheck {
  readonly verdict: 'accepted' | 'rejected';
  /** Null when the file has no directory that can be read. */
  readonly tiff: TiffSummary | null;
  readonly rejections: readonly Finding<TiffRejectionCode>[];
  readonly warnings: readonly Finding<TiffWarningCode>[];
}

/** What a walk has found, with the place of each frame for decoding. */
export interface TiffWalk extends TiffCheck {
  readonly header: TiffHeader | null;
  /** Where the directories of the frames are, bytes. */
  readonly frames: readonly number[];
}

/**
 * Reads every directory, and the tables of its strips or tiles, not the data. The work does not depend on what the
 * file declares: it ends after 65,536 directories and 4,000,000 strips. A rejection means that the data are unusable.
 *
 * @throws what the source throws.
 */
export async function checkTiff(source: VoxelSource, sizeBytes: number): Promise<TiffCheck> {
  const { verdict, tiff, rejections, warnings } = await walkTiff(source, sizeBytes);
  return { verdict, tiff, rejections, warnings };
}

export async function walkTiff(source: VoxelSource, sizeBytes: number): Promise<TiffWalk> {
  const start = new Uint8Array(Math.min(TIFF_HEADER_BYTES, sizeBytes));
  if (start.length > 0) await source.read(0, start);
  const header = readTiffHeader(start, sizeBytes);
  if ('code' in header) return { header: null, ...toCheck([header], [], null), frames: [] };
  return await new Walk(new PagedReader(source, sizeBytes, header.byteOrder), header).run();
}

class Walk {
  readonly #reader: PagedReader;
  readonly #header: TiffHeader;
  readonly #seen = new Set<number>();
  readonly #warnings: Finding<TiffWarningCode>[] = [];
  /** The first image, or the first frame of an EER movie. */
  #main: TiffDirectory | null = null;
  #frames: number[] = [];
  #others = 0;
  #blocks = 0;
  #blocksLeft = MAX_BLOCKS;
  #dataBytes = 0;
  #emptyFrames = 0;

  constructor(reader: PagedReader, header: TiffHeader) {
    this.#reader = reader;
    this.#header = header;
  }

  async run(): Promise<TiffWalk> {
    const rejection = await this.#walk();
    const metadata = await this.#readMetadata();
    const summary = this.#main && (await this.#summarise(this.#main, metadata));
    if (!rejection && summary) this.#warn(summary, metadata);
    const check = toCheck(rejection ? [rejection] : [], this.#warnings, summary);
    return { header: this.#header, ...check, frames: this.#frames };
  }

  async #walk(): Promise<Finding<TiffRejectionCode> | null> {
    const { isBig } = this.#header;
    for (let offset = this.#header.firstDirectory; offset !== 0; ) {
      if (this.#seen.has(offset)) {
        const message = `The chain of directories leads back to byte ${count(offset)}: it has no end.`;
        return { code: 'directory_repeated', message };
      }
      if (this.#seen.size === MAX_DIRECTORIES || this.#blocksLeft === 0) {
        const message =
          `The file has more than ${count(this.#seen.size)} directories, or ${count(MAX_BLOCKS)} strips; ` +
          'the others are not checked.';
        this.#warnings.push({ code: 'walk_cut', message });
        return null;
      }
      this.#seen.add(offset);
      const directory = await readDirectory(this.#reader, offset, isBig);
      if ('code' in directory) return directory;
      const rejection = await this.#take(directory, offset);
      if (rejection) return rejection;
      offset = directory.next;
    }
    return null;
  }

  async #take(directory: TiffDirectory, offset: number): Promise<Finding<TiffRejectionCode> | null> {
    const { width, height, blockWidth, blockHeight } = directory;
    if (width < 1 || height < 1 || blockWidth < 1 || blockHeight < 1) {
      const message =
        `Image ${count(this.#seen.size)} has no size: its directory at byte ${count(offset)} says ` +
        `${width} × ${height} pixels.`;
      return { code: 'dimensions_missing', message };
    }
    const found = await checkBlocks(this.#reader, directory, this.#seen.size, this.#blocksLeft);
    if ('code' in found) return found;
    this.#blocksLeft -= Math.min(found.blocks, this.#blocksLeft);
    if (this.#isFirst(directory)) {
      this.#others += this.#frames.length;
      this.#main = directory;
      this.#frames = [];
      [this.#blocks, this.#dataBytes, this.#emptyFrames] = [0, 0, 0];
    }
    if (!this.#main || !isAlike(directory, this.#main)) {
      this.#others++;
      return null;
    }
    this.#frames.push(offset);
    this.#blocks += found.blocks;
    this.#dataBytes += found.dataBytes;
    if (found.empty > 0) this.#emptyFrames++;
    return null;
  }

  /** An EER movie may begin with another image, such as a picture of the sum. */
  #isFirst({ compression, isReduced }: TiffDirectory): boolean {
    if (!this.#main) return true;
    if (this.#main.isReduced && !isReduced) return true;
    return isEer(compression) && !isEer(this.#main.compression);
  }

  async #readMetadata(): Promise<EerMetadata | null> {
    if (!this.#main || !isEer(this.#main.compression)) return null;
    const text = await readText(this.#reader, this.#main.eerMetadata, MAX_METADATA_BYTES);
    return parseEerMetadata(text ?? '');
  }

  async #summarise(main: TiffDirectory, metadata: EerMetadata | null): Promise<TiffSummary> {
    const { width, height, bits, samples, compression, isTiled, perCentimetre } = main;
    const pixel = metadata ? metadata.pixelSize : perCentimetre && 1e8 / perCentimetre;
    const code = metadata && eerCodeOf(compression, main.eerBits);
    const summary = {
      format: metadata ? 'eer' : this.#header.isBig ? 'bigtiff' : 'tiff',
      kind: this.#frames.length > 1 ? 'stack' : 'image',
      width,
      height,
      frames: this.#frames.length,
      other_images: this.#others,
      bits,
      sample_format: (['other', 'unsigned', 'signed', 'float'] as const)[main.sampleFormat] ?? 'other',
      samples,
      compression: { code: compression, name: nameCompression(compression) },
      layout: isTiled ? 'tiles' : 'strips',
      blocks: this.#blocks,
      data_bytes: this.#dataBytes,
      byte_order: this.#header.byteOrder,
      pixel_size: pixel && pixel > LEAST_PIXEL && pixel < GREATEST_PIXEL ? Number(pixel.toPrecision(7)) : null,
      software: await readText(this.#reader, main.software, MAX_TEXT_BYTES),
      description: await readText(this.#reader, main.description, MAX_TEXT_BYTES),
      eer: metadata && {
        bits: code && ([code.skipBits, code.horizontalBits, code.verticalBits] as const),
        camera: metadata.camera,
        exposure: metadata.exposure,
        dose_rate: metadata.dose_rate,
        total_dose: metadata.total_dose,
        gain_reference: metadata.gain_reference,
        taken: metadata.taken,
      },
    } as const;
    return { ...summary, not_drawn: explainNotDrawn(main, summary, this.#reader.sizeBytes) };
  }

  #warn({ frames, compression, data_bytes }: TiffSummary, metadata: EerMetadata | null): void {
    const { sizeBytes } = this.#reader;
    if (this.#emptyFrames > 0) {
      const message = `${count(this.#emptyFrames)} of ${count(frames)} frames have strips without data.`;
      this.#warnings.push({ code: 'frames_empty', message });
    }
    if (data_bytes > sizeBytes) {
      const message = `The frames together have ${count(data_bytes)} bytes, more than the file: they share data.`;
      this.#warnings.push({ code: 'data_shared', message });
    }
    if (metadata?.frames && metadata.frames !== frames) {
      const message = `The metadata name ${count(metadata.frames)} frames, and the file has ${count(frames)}.`;
      this.#warnings.push({ code: 'frames_differ', message });
    }
    if (compression.name === null) {
      const message = `The compression ${compression.code} is not known, so the data are not checked.`;
      this.#warnings.push({ code: 'compression_unknown', message });
    }
  }
}

/** True for frames of one movie: they are decoded alike. */
function isAlike(a: TiffDirectory, b: TiffDirectory): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.bits === b.bits &&
    a.samples === b.samples &&
    a.sampleFormat === b.sampleFormat &&
    a.isReduced === b.isReduced &&
    a.compression === b.compression &&
    a.predictor === b.predictor &&
    a.isPlanar === b.isPlanar &&
    a.isTiled === b.isTiled &&
    (!a.isTiled || (a.blockWidth === b.blockWidth && a.blockHeight === b.blockHeight)) &&
    String(a.eerBits) === String(b.eerBits)
  );
}

function toCheck(
  rejections: readonly Finding<TiffRejectionCode>[],
  warnings: readonly Finding<TiffWarningCode>[],
  tiff: TiffSummary | null,
): TiffCheck {
  return { verdict: rejections.length > 0 ? 'rejected' : 'accepted', tiff, rejections, warnings };
}
