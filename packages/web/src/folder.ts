/** The folder part of `path`, with its slash; '' when there is none. */
export function folderOf(path: string | null | undefined, name: string): string {
  return path?.endsWith(name) ? path.slice(0, -name.length) : '';
}
