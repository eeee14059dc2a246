/** What the network and the server allow: with a trial upload, which is cancelled at the end. */
import { createHash, randomFillSync, randomUUID } from 'node:crypto';
import type { Api } from '@cryolift/client';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { type Measured, notMeasured, rateOf } from './measure.ts';

/** Requests whose median is the latency. */
const ROUNDS = 9;
/** Parts at the same time, as an upload begins. */
const AT_ONCE = 4;
/** Bytes of one answer of a download. */
const RANGE_BYTES = 4 * 1024 * 1024;

export async function measureLatency(api: Api, signal: AbortSignal): Promise<Measured> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    await api.limits({ signal });
    took.push(performance.now() - startedMs);
  }
  const median = took.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number;
  const note = `median of ${ROUNDS} requests, there and back`;
  return { what: 'latency', bytes_per_second: null, milliseconds: Math.round(median * 10) / 10, note };
}

/**
 * Sends parts of a trial upload: new ones, which the server stores, and then the same ones again, which it only reads and
 * hashes. The difference is what storing costs.
 *
 * @param sizeBytes that are stored at most. @param ms of each of the two.
 */
export async function measureUp(api: Api, sizeBytes: number, ms: number, signal: AbortSignal): Promise<Measured[]> {
  // The first part, which would need a header, is not sent.
  const size = (await api.limits({ signal })).part_size + sizeBytes;
  const upload = await api.init({ filename: 'cryolift-speedtest.mrc', size, trial: true }, randomUUID(), { signal });
  const { part_size } = upload;
  const count = Math.floor(size / part_size) - 1;
  try {
    const part = makePart(count > 0 ? part_size : size - part_size);
    const stored = await sendFor(api, upload, part, { ms, signal, most: Math.max(1, count) });
    const again = await sendFor(api, upload, part, { ms, signal, most: Number.POSITIVE_INFINITY, among: stored.parts });
    return [
      rateOf('up', again.bytes, again.ms, `${AT_ONCE} parts at once; the server reads and hashes them`),
      rateOf('server', stored.bytes, stored.ms, 'the same, and the server stores them'),
    ];
  } finally {
    await api.cancel(upload.upload_id);
  }
}

interface Part {
  readonly body: Buffer<ArrayBuffer>;
  readonly digest: Uint8Array;
}

function makePart(bytes: number): Part {
  const body = randomFillSync(Buffer.alloc(bytes));
  return { body, digest: createHash('sha256').update(body).digest() };
}

interface Sending {
  readonly ms: number;
  readonly signal: AbortSignal;
  /** Parts that are sent at most. */
  readonly most: number;
  /** So many parts are sent over and over; absent: each once. */
  readonly among?: number;
}

async function sendFor(api: Api, { upload_id, part_size }: UploadRecord, part: Part, sending: Sending) {
  const { ms, signal, most, among = Number.POSITIVE_INFINITY } = sending;
  let [next, sent] = [0, 0];
  const startedMs = performance.now();
  const worker = async () => {
    while (next < most && performance.now() - startedMs < ms) {
      const idx = 1 + (next++ % among);
      await api.putPart(upload_id, { idx, offset: idx * part_size, ...part }, { signal });
      sent++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { parts: sent, bytes: sent * part.body.length, ms: performance.now() - startedMs };
}

/** Downloads one of the caller's files, the newest large one, for `ms` at most. */
export async function measureDown(api: Api, ms: number, signal: AbortSignal): Promise<Measured> {
  const { items } = await api.files({ sort: 'size', order: 'desc', limit: 1 }, { signal });
  const [file] = items;
  if (!file || file.size < RANGE_BYTES) return notMeasured('down', 'you have no large file on the server');
  const etag = `"${file.sha256 ?? file.parts_sha256}"`;
  let [at, bytes] = [0, 0];
  const startedMs = performance.now();
  do {
    const end = Math.min(file.size, at + RANGE_BYTES) - 1;
    bytes += (await api.content(file.file_id, at, end, etag, { signal })).length;
    at = end + 1 === file.size ? 0 : end + 1;
  } while (performance.now() - startedMs < ms);
  return rateOf('down', bytes, performance.now() - startedMs, 'one range after the other of one of your files');
}
