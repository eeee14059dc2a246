/**
 * Names of objects: `files/ID/NAME` for files, `previews/ID/NAME.png` for their pictures, `pieces/ID/NAME` for bytes of
 * uploads that are not a whole part.
 */
import type { FilePlace, StagedName } from '../places.ts';

export class Keys {
  readonly #prefix: string;

  /** @param prefix of all keys, without slashes at its ends; '': none. */
  constructor(prefix: string) {
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
  }

  get files(): string {
    return `${this.#prefix}files/`;
  }

  get previews(): string {
    return `${this.#prefix}previews/`;
  }

  get pieces(): string {
    return `${this.#prefix}pieces/`;
  }

  /** Names the database that the objects belong to. */
  get owner(): string {
    return `${this.#prefix}cryolift.json`;
  }

  /** The key is chosen when the upload begins, so that its file has the id of the upload. */
  ofUpload({ id, filename }: Pick<StagedName, 'id' | 'filename'>): string {
    return `${this.files}${id}/${filename}`;
  }

  ofFile({ fileId, filename }: Pick<FilePlace, 'fileId' | 'filename'>): string {
    return `${this.files}${fileId}/${filename}`;
  }

  ofPreview(fileId: string, name: string): string {
    return `${this.previews}${fileId}/${name}.png`;
  }

  ofPiece(uploadId: string, name: string): string {
    return `${this.pieces}${uploadId}/${name}`;
  }

  /** @param folder `files`, `previews` or `pieces`. @returns null for a key that is not ours. */
  parse(folder: string, key: string): { id: string; name: string } | null {
    const [id, name, ...rest] = key.startsWith(folder) ? key.slice(folder.length).split('/') : [];
    return id && name && rest.length === 0 ? { id, name } : null;
  }
}
