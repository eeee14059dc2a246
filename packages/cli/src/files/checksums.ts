/** Checksums of the uploaded files, in the form that `sha256sum -c` reads (GNU coreutils). */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { naming, temporaryName } from '@cryolift/client/node';
import { UsageError } from '../process/exit.ts';

/** A line of `sha256sum`: a name that would break its line is escaped, and a backslash in front says so. */
function formatChecksum(path: string, sha256: string): string {
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
}

/** Takes the place of an older file of this name, whole, or leaves it as it is. */
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

  /** Fails at once where nothing can be written, and not after the uploads. @throws UsageError for what is no file. */
  static async open(path: string): Promise<ChecksumFile> {
    // It would be replaced by a file: `/dev/stdout` for everybody.
    const before = await stat(path).catch(() => null);
    if (before && !before.isFile()) throw new UsageError(`--checksums takes a file, and ${path} is none`);
    const draft = join(dirname(path), temporaryName(basename(path), 'new'));
    return new ChecksumFile(path, draft, await naming(path, () => open(draft, 'wx')));
  }

  add(path: string, sha256: string): void {
    this.#lines.push({ path, line: formatChecksum(path, sha256) });
  }

  /** Writes what was added, in the order of the paths. Without any the file is not touched: an empty one is none. */
  async save(): Promise<void> {
    await naming(this.#path, () => this.#write());
  }

  async #write(): Promise<void> {
    try {
      if (this.#lines.length === 0) return;
      const lines = this.#lines.sort((a, b) => (a.path < b.path ? -1 : 1));
      await this.#handle.writeFile(lines.map(({ line }) => line).join(''));
      await this.#handle.sync();
      await rename(this.#draft, this.#path);
    } finally {
      await this.#handle.close();
      await rm(this.#draft, { force: true });
    }
  }
}
