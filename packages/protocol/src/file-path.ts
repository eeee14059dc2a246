/** The path of a file below the folder that was uploaded. */

const CONTROLS = /\p{Cc}/gu;

/** `metadata.path`, or else the name. Relative, with `/` between its segments. */
export function pathOf(filename: string, metadata: Readonly<Record<string, string>>): string {
  return cleanPath(metadata.path ?? '') || cleanPath(filename);
}

/** Without empty segments, `.`, `..` and control characters, in NFC. */
export function cleanPath(path: string): string {
  const segments = path.toWellFormed().normalize('NFC').replace(CONTROLS, '').split('/');
  return segments.filter((segment) => !['', '.', '..'].includes(segment)).join('/');
}
