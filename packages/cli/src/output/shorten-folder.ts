/**
 * Shortens the folder of a path, never its name: `session7/grid1/square4/a.mrc` becomes `session7/…/a.mrc`, then
 * `…/a.mrc`.
 *
 * @param width characters; a longer name stays whole.
 */
export function shortenFolder(path: string, width: number): string {
  if (path.length <= width) return path;
  const segments = path.split('/');
  const name = segments.pop() as string;
  while (segments.length > 1) {
    segments.pop();
    const shorter = [...segments, '…', name].join('/');
    if (shorter.length <= width) return shorter;
  }
  return segments.length === 0 ? path : `…/${name}`;
}
