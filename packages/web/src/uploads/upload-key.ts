/** The key of an upload: path, name, size and modification time of its file. A file with other content gets another key. */

type KeyParts = [path: string | null, name: string, sizeBytes: number, modifiedMs: number, copy?: number];

/** @param copy counts from 1 the files that have the same path, name, size and time. */
export function keyOfFile(
  { name, size, lastModified }: Pick<File, 'name' | 'size' | 'lastModified'>,
  path: string | null,
  copy = 1,
): string {
  const parts: KeyParts = [path, name, size, lastModified];
  return JSON.stringify(copy === 1 ? parts : [...parts, copy]);
}

/** What a key says of its file. */
export function readKey(key: string): { path: string | null; name: string; sizeBytes: number } {
  const [path, name, sizeBytes] = JSON.parse(key) as KeyParts;
  return { path, name, sizeBytes };
}

/** The key without folder and copy number: the same for files with the same name, size and time. */
export function withoutPath(key: string): string {
  const [, name, sizeBytes, modifiedMs] = JSON.parse(key) as KeyParts;
  return JSON.stringify([null, name, sizeBytes, modifiedMs] satisfies KeyParts);
}
