/** The last part of a path of Windows or of other systems. */
export function baseName(path: string): string {
  return path.replace(/^.*[\\/]/s, '').trim();
}
