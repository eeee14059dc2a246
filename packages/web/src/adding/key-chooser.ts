/** Finds the upload that an added file belongs to. */
import type { FileHandle } from '@cryolift/client/browser';
import { isActive, type Upload } from '../uploads/upload.ts';
import { keyOfFile, withoutPath } from '../uploads/upload-key.ts';
import type { FoundFile } from './found-files.ts';

/** The uploads of the list, as far as they are needed here. */
interface KnownUploads {
  get(key: string): { readonly upload: Upload; readonly handle: FileHandle | null } | undefined;
  all(): readonly { readonly upload: Upload }[];
}

/** For files that are added together. Two of them never get the same key. */
export class KeyChooser {
  readonly #known: KnownUploads;
  /** The keys of interrupted uploads, by their keys without folder. */
  readonly #interrupted: ReadonlyMap<string, readonly string[]>;
  readonly #chosen = new Set<string>();

  constructor(known: KnownUploads) {
    this.#known = known;
    this.#interrupted = Map.groupBy(
      known
        .all()
        .filter(({ upload }) => upload.state === 'interrupted')
        .map(({ upload }) => upload.key),
      withoutPath,
    );
  }

  /** @returns the key of the upload that the file continues, or a new key. */
  async choose(found: FoundFile): Promise<string> {
    const key = await this.#find(found);
    this.#chosen.add(key);
    return key;
  }

  async #find({ file, path, handle }: FoundFile): Promise<string> {
    const own = keyOfFile(file, path);
    if (!this.#known.get(own) || this.#chosen.has(own)) {
      const interrupted = this.#interrupted.get(withoutPath(own))?.find((key) => this.#isInterrupted(key));
      if (interrupted !== undefined) return interrupted;
    }
    for (let copy = 1; ; copy++) {
      const key = keyOfFile(file, path, copy);
      if (!this.#chosen.has(key) && !(await this.#isOtherFile(key, handle))) return key;
    }
  }

  #isInterrupted(key: string): boolean {
    return !this.#chosen.has(key) && this.#known.get(key)?.upload.state === 'interrupted';
  }

  /** Another file with the same path, name, size and time has this key. */
  async #isOtherFile(key: string, handle: FileHandle | null): Promise<boolean> {
    const known = this.#known.get(key);
    if (!known) return false;
    const { upload, handle: knownHandle } = known;
    const isSame =
      handle && knownHandle
        ? await handle.isSameEntry?.(knownHandle as FileSystemFileHandle).catch(() => undefined)
        : undefined;
    if (isSame !== undefined) return !isSame;
    // The browser cannot compare the files. Two uploads of one file are better than one upload of two files.
    return isActive(upload) || upload.state === 'cancelling';
  }
}
