/** A thread that reads ranges of files and hashes them, some MiB of each in turn. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { constants, platform, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { PartSelection } from '../../places.ts';
import { identityOf, REPLACED } from '../file-identity.ts';

const CHUNK_BYTES = 2 * 1024 * 1024;

/** To the worker: start to hash `path` from `start` to `end`, at first up to `limit` (file offsets). */
export interface StartJob {
  kind: 'start';
  job: number;
  path: string;
  start: number;
  end: number;
  /** Parts whose digests are also computed; only for a range that starts at 0. */
  parts: PartSelection | null;
}
/** To the worker: the bytes before `limit` may be read now. */
export interface AdvanceJob {
  kind: 'advance';
  job: number;
  limit: number;
}
/** To the worker: the digest is cancelled. Answered when the file is closed here. */
export interface DropJob {
  kind: 'drop';
  job: number;
}
/** From the worker: progress (file offset); digests; the system's error code; dropped. */
export type JobReport =
  | { job: number; at: number }
  | { job: number; digest: Digest }
  | { job: number; error: string }
  | { job: number; dropped: true };

export interface Digest {
  sha256: Uint8Array;
  /** The digests of the selected parts, in order, one after the other. */
  parts: Uint8Array;
  /** Identity of the file that was read (`identityOf`); null when no byte was read. */
  identity: string | null;
}

interface Job {
  id: number;
  path: string;
  /** Open only while there are bytes to read: an upload may be idle for days. */
  fd: number | null;
  at: number;
  end: number;
  limit: number;
  hash: Hash;
  identity: string | null;
  parts: PartSelection | null;
  /** Hash of the selected part that is being read. */
  partHash: Hash | null;
  partDigests: Uint8Array[];
}

if (!parentPort) throw new Error('digest-worker runs as a worker thread');
const port = parentPort;
// On Linux this applies only to the calling thread. Arriving parts have priority.
if (platform() === 'linux') setPriority(constants.priority.PRIORITY_LOW);
// The log would be lost in a killed process.
flushCompileCache();
const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const jobs = new Map<number, Job>();
/** 1 while digests are computed; other work waits for 0. */
const shared = new Int32Array(workerData as SharedArrayBuffer);
let working = false;

port.on('message', (message: StartJob | AdvanceJob | DropJob) => {
  if (message.kind === 'start') start(message);
  else if (message.kind === 'drop') {
    drop(message.job);
    report({ job: message.job, dropped: true });
  } else {
    const job = jobs.get(message.job);
    if (job) job.limit = Math.max(job.limit, message.limit);
  }
  if (!working) work();
});

function start({ job: id, path, start, end, parts }: StartJob): void {
  const started = { id, path, fd: null, at: start, end, limit: start, hash: createHash('sha256'), identity: null };
  jobs.set(id, { ...started, parts, partHash: null, partDigests: [] });
}

/** Reads one chunk of every job with available bytes, then the messages, until no work is left. */
function work(): void {
  working = false;
  for (const job of jobs.values()) {
    if (job.at < job.limit) readChunk(job);
    if (job.at === job.end && jobs.has(job.id)) {
      drop(job.id);
      const parts = new Uint8Array(Buffer.concat(job.partDigests));
      const digest = { sha256: new Uint8Array(job.hash.digest()), parts, identity: job.identity };
      report({ job: job.id, digest });
    } else if (job.at < job.limit && jobs.has(job.id)) working = true;
  }
  if (working) setImmediate(work);
  Atomics.store(shared, 0, working ? 1 : 0);
  if (!working) Atomics.notify(shared, 0);
}

function readChunk(job: Job): void {
  try {
    if (job.fd === null) openFile(job);
    const count = readSync(job.fd as number, buffer, 0, Math.min(CHUNK_BYTES, job.limit - job.at), job.at);
    if (count === 0) throw Object.assign(new Error('the file is shorter than its parts'), { code: 'ENODATA' });
    job.hash.update(buffer.subarray(0, count));
    if (job.parts) hashParts(job, job.parts, buffer.subarray(0, count));
    job.at += count;
    if (job.at === job.limit) shut(job);
    report({ job: job.id, at: job.at });
  } catch (error) {
    drop(job.id);
    report({ job: job.id, error: codeOf(error) });
  }
}

/** A replaced file is not read further, because the digest would mix two files. */
function openFile(job: Job): void {
  job.fd = openSync(job.path, 'r');
  const identity = identityOf(fstatSync(job.fd, { bigint: true }));
  job.identity ??= identity;
  if (job.identity !== identity) throw Object.assign(new Error('the file was replaced'), { code: REPLACED });
}

/** `bytes` lie at `job.at`; the digests of the selected parts that end in them are complete. */
function hashParts(job: Job, { partSizeBytes, selected }: PartSelection, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length; ) {
    const position = job.at + from;
    const idx = Math.floor(position / partSizeBytes);
    const partEnd = Math.min((idx + 1) * partSizeBytes, job.end);
    const to = Math.min(bytes.length, from + partEnd - position);
    if (selected[idx]) {
      job.partHash ??= createHash('sha256');
      job.partHash.update(bytes.subarray(from, to));
      if (job.at + to === partEnd) {
        job.partDigests.push(job.partHash.digest());
        job.partHash = null;
      }
    }
    from = to;
  }
}

function drop(id: number): void {
  const job = jobs.get(id);
  jobs.delete(id);
  if (job) shut(job);
}

function shut(job: Job): void {
  const { fd } = job;
  if (fd === null) return;
  job.fd = null;
  try {
    closeSync(fd);
  } catch {
    // The bytes were read correctly. An error here would end the server.
  }
}

function report(message: JobReport): void {
  port.postMessage(message);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}
