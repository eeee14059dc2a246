/** A client on the wire: one upload after the other, in ways that a seed picks, through everything that happens. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { MRC_HEADER_BYTES } from '@cryolift/mrc';
import { digestHeader } from '../contract/sample.ts';
import { cutPart, PART_BYTES, partPath } from '../contract/upload.ts';
import { printHead } from '../contract/wire.ts';
import type { Random } from '../faults/random.ts';
import { GivenUp, Stopped } from './caller.ts';
import type { Entry, Plan } from './ledger.ts';
import {
  cancelUpload,
  completeEarly,
  completeUpload,
  deleteFile,
  openUpload,
  readBack,
  type Steps,
  sendOther,
  sendPart,
} from './upload-steps.ts';

const LARGE_PART_BYTES = 1024 * 1024;

/** Runs until the gate ends it. @param url of the server, for requests that break off. */
export async function runWireClient(
  steps: Steps,
  random: Random,
  owner: string,
  worker: number,
  url: () => string,
): Promise<void> {
  try {
    for (let nth = 0; ; nth++) {
      const entry = steps.ledger.open(drawPlan(random, owner, `${owner}-${worker}-${nth}`));
      await runUpload(steps, random, entry, url).catch((error) => {
        // The ledger has the fault.
        if (!(error instanceof GivenUp)) throw error;
      });
      entry.left = true;
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
}

/** Of small files; one in twenty has parts of 1 MiB. */
export function drawPlan(random: Random, owner: string, name: string): Plan {
  const isMrc = random.chance(0.2);
  const isLarge = random.chance(0.05);
  const partSizeBytes = isLarge ? LARGE_PART_BYTES : PART_BYTES;
  const parts = random.whole(0, isLarge ? 6 : 12);
  const sizeBytes = parts * partSizeBytes + (random.chance(0.2) ? 0 : random.whole(0, partSizeBytes - 1));
  return {
    owner,
    filename: `${name}.${isMrc ? 'mrc' : 'dat'}`,
    sizeBytes: isMrc ? Math.max(sizeBytes, MRC_HEADER_BYTES + 1) : sizeBytes,
    partSizeBytes,
    declares: random.pick(['init', 'init', 'complete', 'complete', 'never', 'never', 'never', 'wrong']),
    by: 'wire',
  };
}

/** One upload, from its start to whatever end the seed picks. @throws GivenUp after a fault, which the ledger has. */
export async function runUpload(steps: Steps, random: Random, entry: Entry, url: () => string): Promise<void> {
  const bytes = entry.makeBytes();
  const { part_count } = await openUpload(steps, entry);
  const all = Array.from({ length: part_count }, (_, idx) => idx);
  const queue = random.chance(0.7) ? random.shuffle(all) : all;
  const cancels = random.chance(0.15);
  const kept = cancels ? random.whole(0, part_count) : 0;
  const work = async () => {
    while (queue.length > kept) await sendSomehow(steps, random, entry, bytes, queue.shift() as number, url);
  };
  const sending = Array.from({ length: random.whole(1, 6) }, work);
  // All end before a failure is reported.
  const failed = (await Promise.allSettled(sending)).find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
  if (queue.length > 0 && random.chance(0.5)) await completeEarly(steps, entry, queue);
  if (cancels) return await cancelUpload(steps, entry);
  if (random.chance(0.1)) return;
  if (!(await completeUpload(steps, entry, bytes))) {
    if (random.chance(0.5)) await cancelUpload(steps, entry);
    return;
  }
  if (random.chance(0.2)) await completeUpload(steps, entry, bytes);
  if (random.chance(0.4)) await readBack(steps, entry);
  if (random.chance(0.4)) await deleteFile(steps, entry);
}

async function sendSomehow(
  steps: Steps,
  random: Random,
  entry: Entry,
  bytes: Buffer,
  idx: number,
  url: () => string,
): Promise<void> {
  if (random.chance(0.04)) await sendPart(steps, entry, bytes, idx, 'damaged');
  if (random.chance(0.04)) await steps.pass(() => breakOff(steps, entry, bytes, idx, url()));
  if (random.chance(0.05)) {
    const twins = [1, 2].map(() => sendPart(steps, entry, bytes, idx, 'with digest'));
    const failed = (await Promise.allSettled(twins)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
  } else {
    await sendPart(steps, entry, bytes, idx, random.chance(0.8) ? 'with digest' : 'without digest');
  }
  // Where bytes may be lost, a part that is asked for again would take them.
  if (!steps.weather.losses && random.chance(0.05)) await sendOther(steps, entry, bytes, idx);
}

/** Sends half of a part and goes away. */
async function breakOff(steps: Steps, entry: Entry, bytes: Buffer, idx: number, url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const upload = await openUpload(steps, entry);
  const part = cutPart(bytes, upload, idx);
  const socket = connect(Number(port), hostname).on('error', () => {});
  const headers = {
    authorization: `Bearer ${steps.caller.token(entry.plan.owner)}`,
    'content-length': String(part.length),
    'content-digest': digestHeader(part),
  };
  socket.write(printHead('PUT', partPath(upload, idx), headers));
  socket.write(part.subarray(0, part.length >> 1), () => socket.destroy());
  await once(socket, 'close').catch(() => {});
}
