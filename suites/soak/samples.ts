/** What is measured of the server, over its restarts (Linux: from /proc). */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RowCounts } from './database.ts';

export interface Sample {
  /** Seconds since the start of the soak. */
  readonly at: number;
  /** Of the server; null: it is away. */
  readonly process: ProcessSample | null;
  /** Null while the server is away. */
  readonly rows: RowCounts | null;
  /** Bytes. */
  readonly databaseBytes: number | null;
  /** Bytes and files of the storage: staged, published, previews. */
  readonly stored: Stored;
  /** Files in the folder for temporary files. */
  readonly temporaryFiles: number;
  /** The audit is kept for years: it grows, up to CRYOLIFT_AUDIT_MAX_SIZE. */
  readonly auditBytes: number;
  /** So far, over all clients. */
  readonly checkedUploads: number;
  readonly checkedBytes: number;
  /** Connections that have met a fault of a proxy, so far. */
  readonly badConnections: number;
}

interface ProcessSample {
  readonly pid: number;
  readonly rssBytes: number;
  /** Of the main thread, after garbage was collected; null: not yet known of this process. */
  readonly heapBytes: number | null;
  /** Of the main thread, beside the heap: buffers. */
  readonly externalBytes: number | null;
  readonly descriptors: number;
  readonly threads: number;
  /** Since its start. */
  readonly cpuSeconds: number;
}

export interface Stored {
  readonly files: number;
  readonly bytes: number;
}

const TICKS_PER_SECOND = 100;

/** @param memoryFile of preload.mjs. @returns null when there is no such process. */
export function sampleProcess(pid: number, memoryFile: string): ProcessSample | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const numberOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ').slice(11, 13) ?? [];
    const memory = readMemory(memoryFile);
    const isOwn = memory?.pid === pid;
    return {
      pid,
      rssBytes: numberOf('VmRSS') * 1024,
      heapBytes: isOwn ? memory.heapUsed : null,
      externalBytes: isOwn ? memory.external : null,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      threads: numberOf('Threads'),
      cpuSeconds: ticks.reduce((sum, each) => sum + Number(each), 0) / TICKS_PER_SECOND,
    };
  } catch {
    return null;
  }
}

function readMemory(path: string): { pid: number; heapUsed: number; external: number } | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Files below a folder. What disappears meanwhile does not count. */
export function measureFolder(folder: string): Stored {
  let [files, bytes] = [0, 0];
  for (const path of listFiles(folder)) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) continue;
    files++;
    // Staged files have their whole length from the start; what they take is what counts.
    bytes += found.blocks * 512;
  }
  return { files, bytes };
}

/** Paths of all files below a folder; none when it is not there. */
export function listFiles(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  } catch {
    return [];
  }
}

/** What descriptors of a process point to. */
export function listDescriptors(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      return [];
    }
  });
}
