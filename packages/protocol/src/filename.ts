/** Names of files that are one step in a folder on any system. */

/** Most file systems hold names of 255 bytes. */
export const MAX_NAME_BYTES = 255;
/** Also what only turns the direction of a text, by which `gpj.mrc` is shown as `crm.jpg`, and what breaks lines. */
export const CONTROL_CHARACTERS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
/** Names of devices on Windows, whatever their extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)/i;

/** @returns what is wrong with a name, as the end of a sentence that begins with it; null for one that a file may have. */
export function findNameFault(name: string): string | null {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'is a folder';
  if (/[/\\]/.test(name)) return 'has a path in it';
  if (CONTROL_CHARACTERS.test(name)) return 'has control characters in it';
  if (!name.isWellFormed()) return 'is not valid Unicode';
  if (DEVICE.test(name)) return 'is one of a device on Windows';
  const bytes = new TextEncoder().encode(name).length;
  return bytes > MAX_NAME_BYTES ? `has ${bytes} bytes; ${MAX_NAME_BYTES} are allowed` : null;
}
