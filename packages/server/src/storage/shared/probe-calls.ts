/** What a probe does with the file system. Tests pass calls that do it wrong. */
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { flush } from '../../flush.ts';

const FILE_MODE = 0o600;

export const SYSTEM_PROBE = {
  makeFolder: async (path: string) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  list: (folder: string) => readdir(folder),
  modifiedAtMs: async (path: string) => (await stat(path)).mtimeMs,
  device: async (path: string) => (await stat(path)).dev,
  remove: (path: string) => rm(path, { recursive: true, force: true }),
  unlink: (path: string) => unlink(path),
  rename: (from: string, to: string) => rename(from, to),
  link: (from: string, to: string) => link(from, to),
  read: (path: string): Promise<Buffer> => readFile(path),
  /** Fails when there is one. */
  createNew: async (path: string) => await (await open(path, 'wx', FILE_MODE)).close(),
  /** Makes the file where it is missing, writes at the offset, flushes and closes. */
  async writeAt(path: string, bytes: Uint8Array, offsetBytes: number): Promise<void> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, FILE_MODE);
    try {
      await file.write(bytes, 0, bytes.length, offsetBytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  },
  syncFolder: (path: string) => flush(path),
};

export type ProbeCalls = typeof SYSTEM_PROBE;
