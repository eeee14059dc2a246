/** Checksums of the uploaded files, in the form that `sha256sum -c` reads (GNU coreutils). */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { naming, retryWhileHeld, temporaryName } from '@cryolift/client/node';
import { UsageError } from '../process/exit.ts';

/** A line of `sha256sum`: a name with a line end or backslash is escaped, and the line starts with a backslash. */
export function formatChecksum(path: string, sha256: string): string {
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
}

/** Replaces an older file of this name atomically, or leaves it unchanged. */
export class ChecksumFile {
  readonly #path: string;
  readonly #draft: string;
  readonly #handle: FileHandle;
  readonly #lines: { path: string; line: string }[] = [];

  private constructor(path: string, draft: string, handle: FileHandle) {
    this.#path = path;
    this.#draft = draft;
    this.#handle = handle;
  }

  /**
   * Fails before the uploads when the file cannot be written. @throws UsageError when the path is not a regular file.
   */
  static async open(path: string): Promise<ChecksumFile> {
    // The rename would replace it with a regular file; with `/dev/stdout` for all users of the machine.
    const before = await stat(path).catch(() => null);
    if (before && !before.isFile()) throw new UsageError(`--checksums needs a regular file, which ${path} is not`);
    const draft = join(dirname(path), temporaryName(basename(path), 'new'));
    return new ChecksumFile(path, draft, await naming(path, () => open(draft, 'wx')));
  }

  add(path: string, sha256: string): void {
    this.#lines.push({ path, line: formatChecksum(path, sha256) });
  }

  /**
   * Writes the added digests, in the order of the paths. Without any, the file is not written: `sha256sum -c` refuses
   * an empty list.
   */
  async save(): Promise<void> {
    await naming(this.#path, () => this.#write());
  }

  async #write(): Promise<void> {
    try {
      if (this.#lines.length === 0) return;
      const lines = this.#lines.sort((a, b) => (a.path < b.path ? -1 : 1));
      await this.#handle.writeFile(lines.map(({ line }) => line).join(''));
      await this.#handle.sync();
      await retryWhileHeld(() => rename(this.#draft, this.#path));
    } finally {
      await this.#handle.close();
      await rm(this.#draft, { force: true });
    }
  }
}
