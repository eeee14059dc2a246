/** File names that are valid on every system. */

/** Most file systems allow names of 255 bytes. */
export const MAX_NAME_BYTES = 255;
/** Includes line separators and characters that reverse text, with which `gpj.mrc` is shown as `crm.jpg`. */
export const CONTROL_CHARACTERS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
/** Device names on Windows, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)/i;

/** @returns the fault of a name, as the end of a sentence that begins with the name; null for a valid name. */
export function findNameFault(name: string): string | null {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'is a folder';
  if (/[/\\]/.test(name)) return 'contains a path';
  if (CONTROL_CHARACTERS.test(name)) return 'contains control characters';
  if (!name.isWellFormed()) return 'is not valid Unicode';
  if (DEVICE.test(name)) return 'is a device name of Windows';
  const bytes = new TextEncoder().encode(name).length;
  return bytes > MAX_NAME_BYTES ? `has ${bytes} bytes; ${MAX_NAME_BYTES} are allowed` : null;
}
