import { UploadError } from '@cryolift/protocol/errors';
import { findNameFault, MAX_NAME_BYTES } from '@cryolift/protocol/filename';

/** UTF-16 code units of the longest name in NFD that has 255 bytes in NFC. */
const MAX_CHARACTERS = 1024;

/**
 * Normalizes a name that is valid on any system to NFC: macOS writes `ü` as two code points, other systems as one.
 *
 * @throws UploadError `invalid_filename`, with the fault.
 */
export function readFilename(text: string): string {
  // The time of a normalisation grows with the square of the length.
  if (text.length > MAX_CHARACTERS) {
    throw new UploadError('invalid_filename', `The file name has more than ${MAX_NAME_BYTES} bytes.`);
  }
  const name = text.normalize('NFC');
  const wrong = findNameFault(name);
  if (wrong) throw new UploadError('invalid_filename', `The file name ${wrong}.`);
  return name;
}
