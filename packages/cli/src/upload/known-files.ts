/** Finds files that the server has already, by their SHA-256, and has it copy them instead of sending them. */
import { basename } from 'node:path';
import { type Api, copyFile, findKnownFiles, type KnownFile, RetryPolicy, ServerError } from '@cryolift/client';
import { FileSource, hashPath } from '@cryolift/client/node';
import type { Found } from '../files/find-files.ts';
import type { Output } from '../output/output.ts';
import type { ProgressDisplay } from '../output/progress.ts';
import type { DigestedFile } from './upload-file.ts';

/** What is asked about in one call: at most so many files, and so many bytes, which are hashed first. */
const MOST_FILES = 1_000;
const MOST_BYTES = 16 * 1024 ** 3;
/** A copy that fails for longer is given up, and the file is sent. */
const COPY_FOR_MS = 60_000;
/** The token may not read files, or the server is of an earlier version. */
const CANNOT: readonly string[] = ['forbidden', 'not_found', 'method_not_allowed'];

interface Surroundings {
  readonly api: Api;
  readonly output: Output;
  readonly display: Pick<ProgressDisplay, 'begin'>;
  readonly signal: AbortSignal;
}

export class KnownFiles {
  readonly #surroundings: Surroundings;
  /** By path. */
  readonly #digests = new Map<string, string>();
  readonly #known = new Map<string, string>();
  #isOff = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /**
   * Hashes files and asks the server for them. A file that cannot be read is left out: its upload says why.
   *
   * @throws what a call of the SDK throws when the server does not answer.
   */
  async look(files: readonly Found[]): Promise<void> {
    const { api, output, signal } = this.#surroundings;
    for (const found of files) {
      if (this.#isOff) return;
      await this.#hash(found);
    }
    const asked = files.flatMap(({ path, sizeBytes: size }) => {
      const sha256 = this.#digests.get(path);
      return sha256 === undefined ? [] : [{ path, sha256, size }];
    });
    if (asked.length === 0) return;
    try {
      const known = await new RetryPolicy().retry(() => findKnownFiles(api, asked, { signal }), signal);
      const ids = new Map(known.map((file: KnownFile) => [`${file.sha256} ${file.size}`, file.file_id]));
      for (const { path, sha256, size } of asked) {
        const id = ids.get(`${sha256} ${size}`);
        if (id !== undefined) this.#known.set(path, id);
      }
    } catch (error) {
      if (!(error instanceof ServerError) || !CANNOT.includes(error.code)) throw error;
      // Another file may have asked at the same time.
      if (this.#isOff) return;
      this.#isOff = true;
      const reason =
        error.code === 'forbidden' ? 'this token may not read file records' : 'the server has no such call';
      output.note(`--skip-known: ${reason}; all files are sent`);
    }
  }

  /** The SHA-256 of a file as it was found, hex. */
  digestOf({ path }: Found): string | undefined {
    return this.#digests.get(path);
  }

  /** For a process that runs for months. */
  forget({ path }: Found): void {
    this.#digests.delete(path);
    this.#known.delete(path);
  }

  /** Has the server make a file of bytes that it has. @returns null when the file has to be sent. */
  async copy(found: Found, metadata: Record<string, string>): Promise<DigestedFile | null> {
    const { path, sizeBytes } = found;
    const { api, signal } = this.#surroundings;
    const [fileId, sha256] = [this.#known.get(path), this.#digests.get(path)];
    if (fileId === undefined || sha256 === undefined || !(await isAsFound(found))) return null;
    try {
      const request = { filename: basename(path), metadata };
      const policy = new RetryPolicy(COPY_FOR_MS);
      const file = await policy.retry(() => copyFile(api, fileId, request, { signal }), signal);
      return file.sha256 === sha256 && file.size === sizeBytes ? { ...file, sha256 } : null;
    } catch (error) {
      // What else is wrong, the upload says.
      if (error instanceof ServerError && error.status !== 401) return null;
      throw error;
    }
  }

  async #hash(found: Found): Promise<void> {
    const { display, signal } = this.#surroundings;
    const { path, sizeBytes } = found;
    const transfer = display.begin(found.inFolder?.path ?? basename(path), sizeBytes, path);
    transfer.update(0, 'hashing', null);
    try {
      const sha256 = await hashPath(path, signal);
      if (await isAsFound(found)) this.#digests.set(path, sha256);
    } catch {
      signal.throwIfAborted();
    } finally {
      transfer.end();
    }
  }
}

/** The file was not changed since it was found, and so not since it was hashed. */
async function isAsFound({ path, sizeBytes, modifiedMs }: Found): Promise<boolean> {
  const source = await FileSource.open(path).catch(() => null);
  await source?.close();
  return source !== null && source.sizeBytes === sizeBytes && source.modifiedMs === modifiedMs;
}

/** Cuts a list of files where one call ends. */
export function cutForCalls(files: readonly Found[]): Found[][] {
  const cuts: Found[][] = [];
  let [bytes, last] = [0, [] as Found[]];
  for (const found of files) {
    if (last.length === 0 || last.length >= MOST_FILES || bytes + found.sizeBytes > MOST_BYTES) {
      last = [];
      cuts.push(last);
      bytes = 0;
    }
    last.push(found);
    bytes += found.sizeBytes;
  }
  return cuts;
}
