/** tus-js-client: tus 1.0 at `/tus`, and the draft of the IETF at `/resumable`. */
import { mkdirSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { DefaultHttpStack, FileUrlStorage } from 'tus-js-client';
import { type TusJsOptions, uploadWithTusJs } from '../../protocols/clients/tus-js.ts';
import { GivenUp } from '../../reliability/caller.ts';
import type { Entry } from '../../reliability/ledger.ts';
import { type Actor, drawSize, repeat, runUntilDone } from '../scene.ts';
import { checkPublished, openEntry } from './published.ts';

const MEAN_PAUSE_MS = 8_000;
const MIB = 1024 * 1024;
const RETRY_DELAYS_MS = [0, 200, 500, 1000, 2000, 3000];
const SOON_SECONDS = 2;
/** It waits for ever for an answer whose body was cut off. */
const RUN_MS = 90_000;

/** @param kind of the actor: `tus` or `resumable`. */
export async function runTusClient(actor: Actor): Promise<void> {
  const { scene, owner, random } = actor;
  const home = join(scene.folder, owner);
  mkdirSync(home);
  await repeat(actor, MEAN_PAUSE_MS, async (nth) => {
    const { entry, bytes } = openEntry(actor, nth, drawFileSize(actor), 'tus');
    const store = join(home, `${nth}.json`);
    const shape = drawShape(actor, bytes.length);
    const progress: Progress = { url: null, acceptedBytes: 0 };
    const expires = random.chance(0.1);
    const isDone = await runUntilDone(
      actor,
      entry,
      async (again) => {
        await checkOffset(actor, entry, progress);
        const isLast = again > 0;
        await uploadOnce(actor, entry, bytes, {
          ...shape,
          urlStorage: new FileUrlStorage(store),
          headers: headersOf(actor, entry, expires && !isLast ? SOON_SECONDS : undefined),
          ...(random.chance(0.15) && !isLast ? { abortAtBytes: random.whole(1, bytes.length) } : {}),
          progress,
        });
      },
      (error) => error instanceof Aborted || (expires && /response code: 401/.test(error.message)),
    );
    rmSync(store, { force: true });
    // A creation whose answer was lost is repeated; when it had the bytes, too, there are two files.
    if (isDone) await checkPublished(actor, entry, 'any');
    else scene.tally[actor.kind].wrong++;
  });
}

/** With the draft of the IETF it says that an empty file is done, and never completes it. */
function drawFileSize({ kind, random, scene }: Actor): number {
  return Math.max(kind === 'tus' ? 0 : 1, drawSize(random, scene.mostBytes));
}

class Aborted extends Error {}

interface Progress {
  /** Of an upload whose bytes are in one place. */
  url: string | null;
  /** The most that was acknowledged for it. */
  acceptedBytes: number;
}

function drawShape({ kind, random }: Actor, sizeBytes: number): TusJsOptions {
  const chunkSize = random.pick([MIB, 3 * MIB, 16 * MIB, Number.POSITIVE_INFINITY]);
  if (kind === 'resumable') return { chunkSize, protocol: 'ietf-draft-05' };
  const isParallel = sizeBytes > MIB && random.chance(0.2);
  if (isParallel) return { chunkSize, parallelUploads: random.whole(2, 4) };
  return { chunkSize, uploadDataDuringCreation: random.chance(0.2) };
}

function headersOf({ scene, owner, kind }: Actor, { plan }: Entry, ttlSeconds?: number): Record<string, string> {
  return {
    authorization: `Bearer ${scene.token(owner, ttlSeconds)}`,
    ...(kind === 'resumable' ? { 'Content-Disposition': `attachment; filename="${plan.filename}"` } : {}),
  };
}

interface Attempt extends TusJsOptions {
  readonly progress: Progress;
}

async function uploadOnce(actor: Actor, entry: Entry, bytes: Buffer, attempt: Attempt): Promise<void> {
  const { scene, kind } = actor;
  const { progress, ...options } = attempt;
  const isInOnePlace = options.parallelUploads === undefined;
  const { end } = await uploadWithTusJs(bytes, {
    endpoint: `${scene.cutUrl}/${kind === 'tus' ? 'tus' : 'resumable'}`,
    metadata: { filename: entry.plan.filename },
    // It takes no two files of one size for the same.
    fingerprint: async () => entry.plan.filename,
    retryDelays: RETRY_DELAYS_MS,
    resume: true,
    signal: AbortSignal.timeout(RUN_MS),
    // Each connection meets one fault at most.
    httpStack: new DefaultHttpStack({ agent: new Agent({ keepAlive: false }) }),
    ...options,
    onAccepted: (accepted, url) => {
      if (!isInOnePlace) return;
      progress.acceptedBytes = url === progress.url ? Math.max(progress.acceptedBytes, accepted) : accepted;
      progress.url = url;
    },
  });
  if (end === 'aborted') throw new Aborted('aborted');
}

/** What was acknowledged before the fault is still there. */
async function checkOffset(actor: Actor, entry: Entry, { url, acceptedBytes }: Progress): Promise<void> {
  const { scene, owner, kind } = actor;
  if (!url || acceptedBytes === 0) return;
  const path = new URL(url).pathname;
  const headers: Record<string, string> =
    kind === 'tus' ? { 'tus-resumable': '1.0.0' } : { 'upload-draft-interop-version': '6' };
  const answer = await scene.gate.pass(() => scene.caller.call(owner, 'HEAD', path, { headers })).catch(() => null);
  const offset = answer?.status === 200 || answer?.status === 204 ? Number(answer.headers['upload-offset']) : null;
  if (offset === null || offset >= acceptedBytes) return;
  scene.ledger.noteFault(entry, `HEAD says ${offset} bytes, ${acceptedBytes} were acknowledged`);
  throw new GivenUp('bytes were lost');
}
