/**
 * Every file system call of the disk storage, wrapped once. `disk-calls.test.ts` makes each of them fail, and
 * `suites/imports.test.ts` forbids `node:fs` elsewhere in the storage.
 */
import { constants as fsConstants, fstatSync } from 'node:fs';
import {
  chmod,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { durableStep } from '../../durable-step.ts';
import { explainCode, explainFailure, explainReadCode } from '../errors.ts';
import { diskCalls } from './call-gate.ts';
import { identityOf, receiptOf } from './file-identity.ts';

export type { FileHandle };

export const READ = fsConstants.O_RDONLY;
export const READ_WRITE = fsConstants.O_RDWR;
export const CREATE = fsConstants.O_RDWR | fsConstants.O_CREAT;

/** Private to the user of the server. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** A picture may be written into a folder that is being removed (ENOTEMPTY): the folder is removed again. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const;

/** The calls of the system. */
export const SYSTEM_CALLS = {
  open: (path: string, flags: number) =>
    flags === CREATE ? durableStep('disk.create', () => open(path, flags, FILE_MODE)) : open(path, flags, FILE_MODE),
  /** With its parents; an existing one is no error. */
  makeFolder: async (path: string) =>
    void (await durableStep('disk.make-folder', () => mkdir(path, { recursive: true, mode: FOLDER_MODE }))),
  list: (folder: string) => readdir(folder),
  rename: (from: string, to: string) => durableStep('disk.rename', () => rename(from, to)),
  link: (from: string, to: string) => durableStep('disk.link', () => link(from, to)),
  removeEmptyFolder: (path: string) => durableStep('disk.remove-folder', () => rmdir(path)),
  /** A file, or a folder with its content; a missing one is no error. */
  remove: (path: string) => durableStep('disk.remove', () => rm(path, REMOVAL)),
  setMode: (path: string, mode: number) => durableStep('disk.set-mode', () => chmod(path, mode)),
  sizeOf: async (path: string) => (await stat(path)).size,
  space: (path: string) => statfs(path),
  readWhole: (path: string): Promise<Uint8Array> => readFile(path),
  writeWhole: (path: string, bytes: Uint8Array) =>
    durableStep('disk.write-whole', () => writeFile(path, bytes, { mode: FILE_MODE })),
  truncate: (handle: FileHandle, sizeBytes: number) => durableStep('disk.truncate', () => handle.truncate(sizeBytes)),
  /** Synchronous, so that the descriptor cannot be closed before it is used. */
  examine: (handle: FileHandle) => {
    const stats = fstatSync(handle.fd, { bigint: true });
    const { nlink, size } = stats;
    return { isRemoved: nlink === 0n, sizeBytes: Number(size), identity: identityOf(stats), receipt: receiptOf(stats) };
  },
  /** @returns the number of bytes read. */
  read: async (handle: FileHandle, target: Uint8Array, position: number) =>
    (await handle.read(target, 0, target.length, position)).bytesRead,
  sync: (handle: FileHandle) => durableStep('disk.sync', () => handle.sync()),
  close: (handle: FileHandle) => handle.close(),
};

export type DiskCalls = typeof SYSTEM_CALLS;

/** Calls that write nothing; `open` does so only with `READ`. */
const READING: readonly string[] = ['list', 'sizeOf', 'space', 'readWhole', 'examine', 'read'];

/** The same calls, a limited number at a time. They throw UploadErrors: see `explainFailure`. */
export function explained(calls: DiskCalls): DiskCalls {
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, explain(name, call)])) as DiskCalls;
}

// biome-ignore lint/suspicious/noExplicitAny: each call has parameters of its own, which are passed on as they are
function explain(name: string, call: (...values: any[]) => unknown) {
  return (...values: unknown[]) => {
    const reads = READING.includes(name) || (name === 'open' && values[1] === READ);
    const fail = (error: unknown): never => {
      throw explainFailure(error, reads ? explainReadCode : explainCode);
    };
    if (name !== 'examine') return diskCalls.run(async () => await call(...values)).catch(fail);
    try {
      return call(...values);
    } catch (error) {
      return fail(error);
    }
  };
}
