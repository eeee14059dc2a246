/** Where the compressed bytes of a file are. */
import type { FilePlace } from '../places.ts';

const EXTENSION = '.zst';
/** Of a name in all file systems (NAME_MAX) and objects that the storages use. */
const MAX_NAME_BYTES = 255;

/** @param storedBytes of the compressed bytes. */
export function compressedPlace(file: FilePlace, storedBytes: number): FilePlace {
  return { ...file, isCompressed: true, sizeBytes: storedBytes };
}

export function originalPlace(file: FilePlace): FilePlace {
  return { ...file, isCompressed: false };
}

/** The name of a file in a storage. */
export function storedName({ filename, isCompressed = false }: Pick<FilePlace, 'filename' | 'isCompressed'>): string {
  return isCompressed ? `${filename}${EXTENSION}` : filename;
}

/** False: the name would be too long. */
export function canBeCompressed({ filename }: FilePlace): boolean {
  return Buffer.byteLength(filename) + EXTENSION.length <= MAX_NAME_BYTES;
}
