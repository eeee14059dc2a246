import { UploadError } from '@cryolift/protocol/errors';

/** Most file systems hold names of 255 bytes. */
const MAX_NAME_BYTES = 255;
/** UTF-16 code units of the longest name in NFD that has 255 bytes in NFC. */
const MAX_CHARACTERS = 1024;
/** Also what only turns the direction of a text, by which `gpj.mrc` is shown as `crm.jpg`, and what breaks lines. */
const CONTROL = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
/** Names of devices on Windows, whatever their extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)/i;

/**
 * A name that is one step in a folder on any system, in one spelling: macOS writes `ü` as two code points, all others as one (NFC).
 *
 * @throws UploadError `invalid_filename`, saying what is wrong.
 */
export function readFilename(text: string): string {
  // The time of a normalisation grows with the square of the length.
  if (text.length > MAX_CHARACTERS) {
    throw new UploadError('invalid_filename', `The file name has more than ${MAX_NAME_BYTES} bytes.`);
  }
  const name = text.normalize('NFC');
  const wrong = findFault(name);
  if (wrong) throw new UploadError('invalid_filename', `The file name ${wrong}.`);
  return name;
}

function findFault(name: string): string | null {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'is a folder';
  if (/[/\\]/.test(name)) return 'has a path in it';
  if (CONTROL.test(name)) return 'has control characters in it';
  if (!name.isWellFormed()) return 'is not valid Unicode';
  if (DEVICE.test(name)) return 'is one of a device on Windows';
  const bytes = Buffer.byteLength(name);
  return bytes > MAX_NAME_BYTES ? `has ${bytes} bytes; ${MAX_NAME_BYTES} are allowed` : null;
}
