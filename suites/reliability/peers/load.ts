/** Clients of tus that upload one file after the other and keep what was acknowledged to them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../faults/random.ts';
import { TusCalls } from '../../protocols/tus/tus-server.ts';
import { makeContent } from '../content.ts';
import type { KillableServer } from './servers.ts';

const MIB = 1024 * 1024;
const KIB = 1024;

export class TrackedUpload {
  readonly name: string;
  readonly sizeBytes: number;
  /** Below the server, which may have another port after a restart; null until the creation was answered. */
  path: string | null = null;
  /** `Upload-Offset` of the last answer. */
  acknowledgedBytes = 0;
  /** When the answer to its last byte came; milliseconds of `performance.now()`. */
  doneAtMs: number | null = null;

  constructor(name: string, sizeBytes: number) {
    this.name = name;
    this.sizeBytes = sizeBytes;
  }

  makeBytes(): Buffer {
    return makeContent(this.name, this.sizeBytes);
  }

  /** The client was told that all bytes are there: it does nothing more. */
  get isDone(): boolean {
    return this.path !== null && this.acknowledgedBytes === this.sizeBytes;
  }
}

export function urlOf({ url }: KillableServer, { path }: TrackedUpload): string {
  return new URL(path ?? '', url).href;
}

export interface Load {
  /** Of the client: its files begin with it. */
  readonly name: string;
  /** It enters each upload, from its start. */
  readonly uploads: TrackedUpload[];
  /** Mean time between two requests. */
  readonly pauseMs: number;
  readonly over: AbortSignal;
}

/** Until the server does not answer any more, or `over`. */
export async function loadServer(
  server: KillableServer,
  random: Random,
  { name, uploads, pauseMs, over }: Load,
): Promise<void> {
  const calls = new TusCalls(server);
  try {
    for (let nth = 0; !over.aborted; nth++) {
      const upload = new TrackedUpload(`${name}-${nth}.dat`, random.magnitude(KIB, 12 * MIB));
      uploads.push(upload);
      await create(calls, upload);
      await sleep(random.whole(0, 2 * pauseMs));
      const next = async () => {
        await sleep(random.whole(0, 2 * pauseMs));
        return over.aborted ? 0 : random.magnitude(16 * KIB, 4 * MIB);
      };
      await append(server, upload, next);
    }
  } catch {
    // It was killed.
  }
}

async function create(calls: TusCalls, upload: TrackedUpload): Promise<void> {
  const filename = Buffer.from(upload.name).toString('base64');
  const url = await calls.create({
    'upload-length': String(upload.sizeBytes),
    'upload-metadata': `filename ${filename}`,
  });
  upload.path = new URL(url).pathname;
}

/**
 * Sends what is missing after the acknowledged offset.
 *
 * @param next the length of the next PATCH, bytes; 0 ends it. @throws Error when no answer comes, or a refusal.
 */
export async function append(
  server: KillableServer,
  upload: TrackedUpload,
  next: () => Promise<number>,
): Promise<void> {
  const calls = new TusCalls(server);
  const bytes = upload.makeBytes();
  while (upload.acknowledgedBytes < bytes.length) {
    const length = await next();
    if (length === 0) return;
    const from = upload.acknowledgedBytes;
    const answer = await calls.patch(urlOf(server, upload), from, bytes.subarray(from, from + length));
    if (answer.status !== 204) throw new Error(`PATCH was answered ${answer.status} ${answer.body}`);
    upload.acknowledgedBytes = Number(answer.headers['upload-offset']);
    if (upload.isDone) upload.doneAtMs ??= performance.now();
  }
}
