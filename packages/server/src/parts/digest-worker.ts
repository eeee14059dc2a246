/** A thread that reads stretches of files and hashes them, some MiB of each in turn. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { constants, platform, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

const CHUNK_BYTES = 2 * 1024 * 1024;

/** To the worker: begin to hash `path` from `start` to `end`, as far as `limit` allows for now (file offsets). */
export interface StartJob {
  kind: 'start';
  job: number;
  path: string;
  start: number;
  end: number;
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
/** From the worker: how far it has come (file offset); the digest of the whole stretch; the system's error code; dropped. */
export type JobReport =
  | { job: number; at: number }
  | { job: number; sha256: Uint8Array }
  | { job: number; error: string }
  | { job: number; dropped: true };

interface Job {
  id: number;
  path: string;
  /** Open only while there is something to read: an upload may lie idle for days. */
  fd: number | null;
  at: number;
  end: number;
  limit: number;
  hash: Hash;
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

function start({ job, path, start, end }: StartJob): void {
  jobs.set(job, { id: job, path, fd: null, at: start, end, limit: start, hash: createHash('sha256') });
}

/** One chunk of every job that has bytes to read, then a look at the messages, until nothing is left to do. */
function work(): void {
  working = false;
  for (const job of jobs.values()) {
    if (job.at < job.limit) readChunk(job);
    if (job.at === job.end && jobs.has(job.id)) {
      drop(job.id);
      report({ job: job.id, sha256: new Uint8Array(job.hash.digest()) });
    } else if (job.at < job.limit && jobs.has(job.id)) working = true;
  }
  if (working) setImmediate(work);
  Atomics.store(shared, 0, working ? 1 : 0);
  if (!working) Atomics.notify(shared, 0);
}

function readChunk(job: Job): void {
  try {
    job.fd ??= openSync(job.path, 'r');
    const count = readSync(job.fd, buffer, 0, Math.min(CHUNK_BYTES, job.limit - job.at), job.at);
    if (count === 0) throw Object.assign(new Error('the file is shorter than its parts'), { code: 'ENODATA' });
    job.hash.update(buffer.subarray(0, count));
    job.at += count;
    if (job.at === job.limit) shut(job);
    report({ job: job.id, at: job.at });
  } catch (error) {
    drop(job.id);
    report({ job: job.id, error: codeOf(error) });
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
