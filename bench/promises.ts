/** What the project promises beside speed: answers while it is busy, a quick `complete`, bounded memory. */
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { GIB, MIB } from '@cryolift/protocol/plan';
import { CryoliftClient, type Server, startServer } from './cryolift.ts';
import type { Probe } from './status-probe.ts';

const PART_BYTES = 8 * MIB;
const CONNECTIONS = 4;
const MANY_CONNECTIONS = 16;
const STATUS_EVERY_MS = 10;
const REST_MS = 3_000;

/** One thing, measured some times. */
export interface Sample {
  readonly name: string;
  readonly values: readonly number[];
}

export interface Sizes {
  /** Of the upload during which the status is asked for, and of the one whose memory is measured. */
  readonly busyGib: number;
  readonly smallGib: number;
  readonly largeGib: number;
  /** How many small files. */
  readonly repeats: number;
}

export async function measurePromises(place: string, sizes: Sizes): Promise<Sample[]> {
  const folder = join(place, 'promises');
  await mkdir(folder);
  try {
    return [
      ...(await withServer(join(folder, 'memory'), (server) => measureMemory(server, sizes.busyGib))),
      ...(await withServer(join(folder, 'status'), (server) => measureStatus(server, sizes.busyGib))),
      ...(await withServer(join(folder, 'small'), (server) => measureComplete(server, sizes.smallGib, sizes.repeats))),
      ...(await withServer(join(folder, 'large'), (server) => measureComplete(server, sizes.largeGib, 1))),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function withServer(folder: string, measure: (server: Server) => Promise<Sample[]>): Promise<Sample[]> {
  const server = await startServer(folder);
  try {
    return await measure(server);
  } finally {
    await server.process.stop();
    await rm(folder, { recursive: true });
  }
}

async function measureMemory(server: Server, gib: number): Promise<Sample[]> {
  const loopBefore = server.process.loopSeconds();
  await send(new CryoliftClient(server), gib, MANY_CONNECTIONS);
  const loopSeconds = server.process.loopSeconds() - loopBefore;
  const megabytes = server.process.peakBytes() / 1e6;
  const load = `${gib} GiB over ${MANY_CONNECTIONS} connections`;
  return [
    { name: `greatest resident memory, ${load} (MB)`, values: [megabytes] },
    { name: `CPU time of the loop alone, per GiB of ${load} (s)`, values: [loopSeconds / gib] },
  ];
}

async function measureStatus(server: Server, gib: number): Promise<Sample[]> {
  const client = new CryoliftClient(server);
  const upload = await client.open(gib * GIB, PART_BYTES);
  const head = client.head('GET', `/uploads/${upload.upload_id}`);
  const workerData: Probe = { url: server.url, head, everyMs: STATUS_EVERY_MS };
  const probe = new Worker(new URL('./status-probe.ts', import.meta.url), { workerData });
  await once(probe, 'online');
  await client.sendParts([upload], CONNECTIONS);
  probe.postMessage('end');
  const [values] = (await once(probe, 'message')) as [number[]];
  const busy = `while ${gib} GiB come over ${CONNECTIONS} connections`;
  return [{ name: `status of an upload, every ${STATUS_EVERY_MS} ms ${busy} (ms)`, values }];
}

/** Files one after another, twice as many as `repeats`: complete once the follower has rested, and complete at once. */
async function measureComplete(server: Server, gib: number, repeats: number): Promise<Sample[]> {
  const client = new CryoliftClient(server);
  const [lags, rested, immediate]: [number[], number[], number[]] = [[], [], []];
  for (let nr = 0; nr < repeats; nr++) {
    const upload = await send(client, gib, CONNECTIONS);
    lags.push((await readLag(client)) / MIB);
    await awaitFollower(client);
    rested.push(await timeComplete(client, upload));
    immediate.push(await timeComplete(client, await send(client, gib, CONNECTIONS)));
  }
  return [
    { name: `\`complete\` of ${gib} GiB, ${REST_MS / 1000} s after the last part (ms)`, values: rested },
    { name: `\`complete\` of ${gib} GiB, right after the last part (ms)`, values: immediate },
    { name: `bytes of ${gib} GiB not yet in the whole digest when the last part is acknowledged (MiB)`, values: lags },
  ];
}

async function send(client: CryoliftClient, gib: number, connections: number): Promise<UploadRecord> {
  const upload = await client.open(gib * GIB, PART_BYTES);
  await client.sendParts([upload], connections);
  return upload;
}

async function timeComplete(client: CryoliftClient, upload: UploadRecord): Promise<number> {
  const begin = performance.now();
  const { file_id } = await client.complete(upload);
  const ms = performance.now() - begin;
  await client.call('DELETE', `/files/${file_id}`);
  return ms;
}

async function awaitFollower(client: CryoliftClient): Promise<void> {
  do await delay(REST_MS);
  while ((await readLag(client)) > 0);
}

/** @returns bytes; NaN when the server does not report it. */
async function readLag(client: CryoliftClient): Promise<number> {
  const { text } = await client.call('GET', '/metrics');
  return Number(/^cryolift_digest_lag_bytes (\S+)$/m.exec(text)?.[1]);
}
