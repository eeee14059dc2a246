/** Published files on a local file system: each in its own folder, under its name. */
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { NamedFiles } from '../compressed/named-files.ts';
import { BytesGone } from '../errors.ts';
import type { FilePlace } from '../places.ts';
import { removeName, writeBeside } from './beside.ts';
import { FileStream } from './file-stream.ts';
import { READ } from './file-system.ts';
import { type DiskLayout, orNull } from './layout.ts';
import { ReadBuffers } from './read-buffers.ts';
import type { Digester } from './threads/digester.ts';
import type { Writers } from './threads/writers.ts';

export class DiskFiles implements NamedFiles {
  readonly #layout: DiskLayout;
  readonly #writers: Writers;
  readonly #digester: Digester;
  readonly #buffers = new ReadBuffers();

  constructor(layout: DiskLayout, writers: Writers, digester: Digester) {
    this.#layout = layout;
    this.#writers = writers;
    this.#digester = digester;
  }

  async read(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null> {
    if (range.end < range.start) return null;
    const { calls } = this.#layout;
    const handle = await orNull(calls.open(this.#layout.published(file), READ));
    return handle && new FileStream(calls, handle, range, this.#buffers);
  }

  async stat(file: FilePlace): Promise<number | null> {
    return await this.#layout.calls.sizeOf(this.#layout.published(file)).catch((error: unknown) => {
      if (error instanceof BytesGone && error.isAbsent) return null;
      throw error;
    });
  }

  async digest(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    return await this.#digester.hashSlowly(this.#layout.published(file), file.sizeBytes, pace);
  }

  async remove(fileId: string): Promise<void> {
    await this.#layout.removeFrom(this.#layout.files, fileId);
  }

  async list(): Promise<string[]> {
    return await this.#layout.calls.list(this.#layout.files);
  }

  locate(file: FilePlace): string {
    return pathToFileURL(this.#layout.published(file)).href;
  }

  async sourceUrl(file: FilePlace): Promise<string> {
    return this.locate(file);
  }

  async writeBeside(at: FilePlace, bytes: AsyncIterable<Buffer>): Promise<void> {
    await writeBeside(this.#layout, this.#writers, at, bytes);
  }

  async removeName(at: FilePlace): Promise<void> {
    await removeName(this.#layout, at);
  }
}
