/** The rows of grey images in strips or tiles, as they are in the decoded file. */
import { count } from '../finding.ts';
import { BlockStream, type ReadAhead } from './block-stream.ts';
import { findBlock, rowBytesOf } from './blocks.ts';
import { LZW } from './compression.ts';
import { readDirectory, type TiffDirectory } from './directory.ts';
import type { PagedReader } from './reader.ts';

export class RowReader {
  readonly #reader: PagedReader;
  readonly #file: ReadAhead;
  readonly #frames: readonly number[];
  readonly #isBig: boolean;
  #frame = -1;
  #directory: TiffDirectory | null = null;
  /** The strip that is read, and the row of it that comes next; a row of tiles is decoded as a whole. */
  #block = -1;
  #next = 0;
  #stream: BlockStream | null = null;
  #band = new Uint8Array(0);

  constructor(reader: PagedReader, file: ReadAhead, frames: readonly number[], isBig: boolean) {
    this.#reader = reader;
    this.#file = file;
    this.#frames = frames;
    this.#isBig = isBig;
  }

  /** Row `y` of a frame, with the predictor undone, in the numbers of the file; valid until the next call. */
  async row(frame: number, y: number): Promise<Uint8Array> {
    const directory = await this.#open(frame);
    return directory.isTiled ? await this.#rowOfTiles(directory, y) : await this.#rowOfStrip(directory, y);
  }

  async #open(frame: number): Promise<TiffDirectory> {
    if (this.#directory && this.#frame === frame) return this.#directory;
    const directory = await readDirectory(this.#reader, this.#frames[frame] as number, this.#isBig);
    if ('code' in directory) throw new RangeError(directory.message);
    [this.#frame, this.#directory, this.#block, this.#stream] = [frame, directory, -1, null];
    return directory;
  }

  async #rowOfStrip(directory: TiffDirectory, y: number): Promise<Uint8Array> {
    const rowBytes = rowBytesOf(directory);
    const block = Math.floor(y / directory.blockHeight);
    const row = y - block * directory.blockHeight;
    if (!this.#stream || this.#block !== block || row < this.#next) {
      this.#stream = await this.#openBlock(directory, block, 'Strip');
      [this.#block, this.#next] = [block, 0];
    }
    if (this.#band.length !== rowBytes) this.#band = new Uint8Array(rowBytes);
    if (row > this.#next) await this.#stream.skip((row - this.#next) * rowBytes);
    await this.#stream.read(this.#band);
    this.#next = row + 1;
    undoPredictor(this.#band, directory, this.#reader.isLittle);
    return this.#band;
  }

  async #rowOfTiles(directory: TiffDirectory, y: number): Promise<Uint8Array> {
    const { width, blockWidth, blockHeight } = directory;
    const across = Math.ceil(width / blockWidth);
    const tileBytes = rowBytesOf(directory);
    const bandBytes = across * tileBytes;
    const block = Math.floor(y / blockHeight);
    if (this.#block !== block) {
      this.#block = -1;
      if (this.#band.length !== bandBytes * blockHeight) this.#band = new Uint8Array(bandBytes * blockHeight);
      for (let tile = 0; tile < across; tile++) {
        const stream = await this.#openBlock(directory, block * across + tile, 'Tile');
        for (let row = 0; row < blockHeight; row++) {
          const at = row * bandBytes + tile * tileBytes;
          const target = this.#band.subarray(at, at + tileBytes);
          await stream.read(target);
          undoPredictor(target, directory, this.#reader.isLittle);
        }
      }
      this.#block = block;
    }
    const at = (y - block * blockHeight) * bandBytes;
    return this.#band.subarray(at, at + bandBytes);
  }

  async #openBlock(directory: TiffDirectory, block: number, unit: string): Promise<BlockStream> {
    const place = await findBlock(this.#reader, directory, block);
    const name = `${unit} ${count(block + 1)} of frame ${count(this.#frame + 1)}`;
    return new BlockStream(this.#file, place, directory.compression === LZW, name);
  }
}

/** Predictor 2: each pixel is stored as the difference from the one before it in its row. */
function undoPredictor(row: Uint8Array, { predictor, bits }: TiffDirectory, isLittle: boolean): void {
  if (predictor !== 2) return;
  if (bits === 8) {
    for (let at = 1; at < row.length; at++) row[at] = (row[at] as number) + (row[at - 1] as number);
    return;
  }
  const view = new DataView(row.buffer, row.byteOffset, row.length);
  if (bits === 16) {
    for (let at = 2; at < row.length; at += 2) {
      view.setUint16(at, view.getUint16(at, isLittle) + view.getUint16(at - 2, isLittle), isLittle);
    }
    return;
  }
  for (let at = 4; at < row.length; at += 4) {
    view.setUint32(at, view.getUint32(at, isLittle) + view.getUint32(at - 4, isLittle), isLittle);
  }
}
