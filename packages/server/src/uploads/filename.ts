import { UploadError } from '@cryolift/protocol/errors';

/** Most file systems hold names of 255 bytes. */
const MAX_NAME_BYTES = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** A name that is one step in a folder on any system. @throws UploadError `invalid_filename`, saying what is wrong. */
export function assertFilename(name: string): void {
  const wrong = findFault(name);
  if (wrong) throw new UploadError('invalid_filename', `The file name ${wrong}.`);
}

function findFault(name: string): string | null {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'is a folder';
  if (/[/\\]/.test(name)) return 'has a path in it';
  if (CONTROL.test(name)) return 'has control characters in it';
  if (!name.isWellFormed()) return 'is not valid Unicode';
  const bytes = Buffer.byteLength(name);
  return bytes > MAX_NAME_BYTES ? `has ${bytes} bytes; ${MAX_NAME_BYTES} are allowed` : null;
}
