/** A thread that reads stretches of files and hashes them, some MiB of each in turn. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { constants, platform, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { PartSelection } from '../places.ts';
import { identityOf } from './file-identity.ts';

const CHUNK_BYTES = 2 * 1024 * 1024;

/** To the worker: begin to hash `path` from `start` to `end`, as far as `limit` allows for now (file offsets). */
export interface StartJob {
  kind: 'start';
  job: number;
  path: string;
  start: number;
  end: number;
  /** Parts whose digests are wanted, too; only of what begins at 0. */
  parts: PartSelection | null;
}
/** To the worker: the bytes before `limit` may be read now. */
export interface AdvanceJob {
  kind: 'advance';
  job: number;
  limit: number;
}
/** To the worker: nobody wants the digest any more. Answered when the file is not open here any more. */
export interface DropJob {
  kind: 'drop';
  job: number;
}
/** From the worker: how far it has come (file offset); what it has computed; the system's error code; dropped. */
export type JobReport =
  | { job: number; at: number }
  | { job: number; digest: Digest }
  | { job: number; error: string }
  | { job: number; dropped: true };

export interface Digest {
  sha256: Uint8Array;
  /** The digests of the selected parts, in order, one after the other. */
  parts: Uint8Array;
  /** Of the file that was read (`identityOf`); null when there was nothing to read. */
  identity: string | null;
}

interface Job {
  id: number;
  path: string;
  /** Open only while there is something to read: an upload may lie idle for days. */
  fd: number | null;
  at: number;
  end: number;
  limit: number;
  hash: Hash;
  identity: string | null;
  parts: PartSelection | null;
  /** Of the selected part that is being read. */
  partHash: Hash | null;
  partDigests: Uint8Array[];
}

if (!parentPort) throw new Error('digest-worker runs as a worker thread');
const port = parentPort;
// On Linux this is of the calling thread alone. Parts that arrive go first; this one takes what is left.
if (platform() === 'linux') setPriority(constants.priority.PRIORITY_LOW);
// A killed process keeps nothing for its next start.
flushCompileCache();
const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const jobs = new Map<number, Job>();
/** 1 while there is something to do; others wait for it to be 0. */
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
  const begun = { id, path, fd: null, at: start, end, limit: start, hash: createHash('sha256'), identity: null };
  jobs.set(id, { ...begun, parts, partHash: null, partDigests: [] });
}

/** One chunk of every job that has bytes to read, then a look at the messages, until nothing is left to do. */
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

/** A file that was put in the place of the one before is not read on: the digest would be of neither. */
function openFile(job: Job): void {
  job.fd = openSync(job.path, 'r');
  const identity = identityOf(fstatSync(job.fd, { bigint: true }));
  job.identity ??= identity;
  if (job.identity !== identity) throw Object.assign(new Error('the file was replaced'), { code: 'ESTALE' });
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
  if (job.fd !== null) closeSync(job.fd);
  job.fd = null;
}

function report(message: JobReport): void {
  port.postMessage(message);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}
