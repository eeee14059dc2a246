/**
 * Resident memory of servers: at rest, and how far it grows above that under many connections; and the CPU time of a
 * start. `npm run bench:memory [-- --rounds N --folder PATH --only NAME… --load WORD…]` (Linux).
 *
 * Every measurement has a fresh server. Growth is the peak of resident memory less what it was two seconds after the
 * start. A slow reader takes at most 16 KiB a second of a file of 64 MiB.
 */
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MIB } from '@cryolift/protocol/plan';
import { missingTusd } from '../../suites/protocols/peers/tusd.ts';
import { connectTo, overConnections } from '../connection.ts';
import { installPeers } from '../peers.ts';
import { makePlace } from '../place.ts';
import { median } from '../report/quantile.ts';
import { table } from '../report/report.ts';
import { CRYOLIFT, PART_BYTES, type Receiver, type Running, TUS_SERVER, TUSD_RECEIVERS } from './receivers.ts';
import { readSlowly } from './slow-reader.ts';

const REST_MS = 2_000;
const SIP_MS = 1_000;
const READ_MS = 4_000;
const FILE_PARTS = 8;
const UPLOAD_BYTES = 1024 * MIB;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: tmpdir() },
    only: { type: 'string', multiple: true },
    load: { type: 'string', multiple: true },
  },
});

/** @returns when the greatest memory has been reached. */
type Load = (running: Running) => Promise<unknown>;

const LOADS: Readonly<Record<string, Load>> = {
  'upload, 16 connections': (running) => upload(running, 16),
  'upload, 500 connections': (running) => upload(running, 500),
  'slow download, 500 connections': (running) => download(running, 500),
};

async function upload(running: Running, connections: number): Promise<void> {
  const parts = Math.max(1, Math.round(UPLOAD_BYTES / PART_BYTES / connections));
  const senders = await running.prepare(connections, parts);
  await overConnections(running.url, connections, async (connection, nr) => {
    for (let sent = 0; sent < parts; sent++) await senders[nr]!(connection);
  });
}

async function download(running: Running, connections: number): Promise<void> {
  const head = await running.publish(FILE_PARTS);
  const readers = await Promise.all(
    Array.from({ length: connections }, async () => readSlowly(await connectTo(running.url), head, SIP_MS)),
  );
  await delay(READ_MS);
  const served = readers.filter((stop) => stop !== null);
  for (const stop of served) stop();
  if (served.length < connections) console.log(`  ${served.length} of ${connections} readers were served`);
}

interface Sample {
  readonly startSeconds: number;
  readonly restBytes: number;
  readonly growthBytes: number;
}

async function measure(receiver: Receiver, load: Load, place: string): Promise<Sample> {
  const folder = join(place, receiver.name.replaceAll('/', '-'));
  await mkdir(folder);
  const running = await receiver.start(folder);
  try {
    const { user, system } = running.process.cpu();
    await delay(REST_MS);
    const restBytes = running.process.residentBytes();
    await load(running);
    return { startSeconds: user + system, restBytes, growthBytes: running.process.peakBytes() - restBytes };
  } finally {
    await running.process.stop();
    await rm(folder, { recursive: true });
  }
}

const mib = (bytes: number) => (bytes / MIB).toFixed(0);
const loads = Object.entries(LOADS).filter(
  ([what]) => !options.load || options.load.some((each) => what.includes(each)),
);
installPeers();
const place = makePlace(options.folder);
const noTusd = missingTusd();
if (noTusd) console.log(noTusd);
const receivers = [...CRYOLIFT, TUS_SERVER, ...(noTusd ? [] : TUSD_RECEIVERS)].filter(
  ({ name }) => !options.only || options.only.includes(name),
);
const samples = new Map(receivers.map(({ name }) => [name, new Map<string, Sample[]>()]));
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [what, load] of loads) {
    for (const receiver of receivers) {
      const measured = samples.get(receiver.name)!;
      const sample = await measure(receiver, load, place);
      measured.set(what, [...(measured.get(what) ?? []), sample]);
      console.error(`${receiver.name}, ${what}: ${mib(sample.restBytes)} +${mib(sample.growthBytes)}`);
    }
  }
}

const rows = [...samples].map(([name, measured]) => {
  const all = [...measured.values()].flat();
  const starts = median(all.map(({ startSeconds }) => startSeconds)).toFixed(2);
  const rest = mib(median(all.map(({ restBytes }) => restBytes)));
  const growths = [...measured.values()].map((each) => `+${mib(median(each.map(({ growthBytes }) => growthBytes)))}`);
  return [name, starts, rest, ...growths];
});
console.log(table(['', 'start CPU-s', 'at rest MiB', ...loads.map(([what]) => what)], rows));
