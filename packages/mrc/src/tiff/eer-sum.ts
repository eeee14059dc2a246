/** The sum of the frames of an EER movie. */
import { count, type Finding } from '../finding.ts';
import type { SectionStatistics } from '../statistics/section-statistics.ts';
import type { ReadAhead } from './block-stream.ts';
import { findBlock } from './blocks.ts';
import { type EerCode, eerCodeOf } from './compression.ts';
import { readDirectory } from './directory.ts';
import type { DecodedShape } from './drawable.ts';
import { EerFrameDecoder } from './eer.ts';
import type { TiffWarningCode } from './finding.ts';
import type { PagedReader } from './reader.ts';

const PIECE_BYTES = 64 * 1024;

export interface EerMovie {
  readonly reader: PagedReader;
  readonly file: ReadAhead;
  /** Where the directories of the frames are. */
  readonly frames: readonly number[];
  readonly isBig: boolean;
  readonly shape: DecodedShape;
}

export class EerSum {
  readonly #movie: EerMovie;
  #sum: Promise<Float32Array> | null = null;
  #frames: SectionStatistics | null = null;
  #unfinished = 0;

  constructor(movie: EerMovie) {
    this.#movie = movie;
  }

  /** Electrons per pixel of each frame; null until all were read. */
  get frames(): SectionStatistics | null {
    return this.#frames;
  }

  get findings(): readonly Finding<TiffWarningCode>[] {
    if (this.#unfinished === 0) return [];
    const frames = count(this.#movie.frames.length);
    const message = `The data of ${count(this.#unfinished)} of ${frames} frames end before the last pixel.`;
    return [{ code: 'data_damaged', message }];
  }

  /** The sum; all frames are decoded at the first call. */
  async read(): Promise<Float32Array> {
    this.#sum ??= this.#decode();
    return await this.#sum;
  }

  async #decode(): Promise<Float32Array> {
    const { reader, frames, isBig, shape } = this.#movie;
    const sum = new Float32Array(shape.nx * shape.ny);
    const mean: number[] = [];
    const sd: number[] = [];
    for (const place of frames) {
      const directory = await readDirectory(reader, place, isBig);
      if ('code' in directory) throw new RangeError(directory.message);
      const { width, height, compression, eerBits, offsets } = directory;
      const code = eerCodeOf(compression, eerBits) as EerCode;
      const decoder = new EerFrameDecoder(code, width, height, shape.binning, sum);
      for (let strip = 0; strip < (offsets?.count ?? 0) && !decoder.isEnded; strip++) {
        await this.#decodeStrip(decoder, await findBlock(reader, directory, strip));
      }
      if (!decoder.isEnded) this.#unfinished++;
      const perPixel = decoder.electrons / (width * height);
      mean.push(perPixel);
      // Of counts, which have the distribution of Poisson.
      sd.push(Math.sqrt(perPixel));
    }
    this.#frames = { mean, sd };
    return sum;
  }

  /** The codes of a frame go on from one strip to the next. */
  async #decodeStrip(decoder: EerFrameDecoder, { at, bytes }: { at: number; bytes: number }): Promise<void> {
    for (let done = 0; done < bytes && !decoder.isEnded; ) {
      const piece = await this.#movie.file.piece(at + done, Math.min(PIECE_BYTES, bytes - done));
      decoder.decode(piece);
      done += piece.length;
    }
  }
}
