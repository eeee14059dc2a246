/**
 * Names of objects: `files/ID/NAME` for files, `compressed/ID/NAME.zst` for those that are compressed, `previews/ID/NAME.png` for their pictures, `pieces/ID/NAME` for bytes of
 * uploads that are not a whole part.
 */
import { storedName } from '../compressed/place.ts';
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

  /**
   * Not among the files: their multipart uploads are those of uploads.
   */
  get compressed(): string {
    return `${this.#prefix}compressed/`;
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

  ofFile(file: Pick<FilePlace, 'fileId' | 'filename' | 'isCompressed'>): string {
    return `${file.isCompressed ? this.compressed : this.files}${file.fileId}/${storedName(file)}`;
  }

  ofPreview(fileId: string, name: string): string {
    return `${this.previews}${fileId}/${name}.png`;
  }

  ofPiece(uploadId: string, name: string): string {
    return `${this.pieces}${uploadId}/${name}`;
  }

  /** @param folder `files`, `compressed`, `previews` or `pieces`. @returns null for a key that is not ours. */
  parse(folder: string, key: string): { id: string; name: string } | null {
    const [id, name, ...rest] = key.startsWith(folder) ? key.slice(folder.length).split('/') : [];
    return id && name && rest.length === 0 ? { id, name } : null;
  }
}
