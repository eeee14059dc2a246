/**
 * The main job's figures: memory, `complete` and the status call, on the embedded default.
 *
 *   npm run bench:main-job -- [GiB, default 10] [folder on the disk to measure, default: the temporary one]
 */
import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GIB, KIB, MIB } from '@cryolift/protocol/plan';
import { Connection, makePayload } from './connection.ts';
import { CryoliftClient, startServer } from './cryolift.ts';
import { makePlace } from './place.ts';
import { subtract } from './process.ts';
import { quantile } from './report/quantile.ts';

const gib = Number(process.argv[2] ?? 10);
const folder = makePlace(process.argv[3] ?? tmpdir());
const CONNECTIONS = 4;
const STATUS_CALLS = 500;
const SMALL_PART = 64 * KIB;

const server = await startServer(join(folder, 'data'));
const client = new CryoliftClient(server);
try {
  report(`floor: SHA-256 twice, write, fdatasync of ${gib} GiB, alone`, { seconds: measureFloor() });
  report(`${gib} GiB in parts of 8 MiB over ${CONNECTIONS} connections`, await measureUpload());
  report('status call with 10,000 parts recorded', await measureStatus(10_000 * SMALL_PART));
} finally {
  await server.process.stop();
}

/** What the same bytes cost when nothing is received: the lower bound of the seconds below. */
function measureFloor(): number {
  const path = join(folder, 'floor');
  const bytes = Buffer.alloc(8 * MIB, 'cryolift');
  const fd = openSync(path, 'w');
  const begin = performance.now();
  const [parts, whole] = [createHash('sha256'), createHash('sha256')];
  for (let at = 0; at < gib * GIB; at += bytes.length) {
    parts.update(bytes);
    whole.update(bytes);
    writeSync(fd, bytes, 0, bytes.length, at);
  }
  fdatasyncSync(fd);
  const seconds = (performance.now() - begin) / 1000;
  closeSync(fd);
  rmSync(path);
  return seconds;
}

async function measureUpload(): Promise<Record<string, number>> {
  const before = server.process.cpu();
  const begin = performance.now();
  const upload = await client.open(gib * GIB, 8 * MIB);
  await client.sendParts([upload], CONNECTIONS);
  const sent = performance.now();
  const { file_id } = await client.complete(upload);
  const completed = performance.now();
  const { user, system } = subtract(server.process.cpu(), before);
  await client.call('DELETE', `/files/${file_id}`);
  return {
    seconds: (sent - begin) / 1000,
    complete_ms: completed - sent,
    server_peak_mb: server.process.peakBytes() / 1e6,
    user_seconds_per_gib: user / gib,
    system_seconds_per_gib: system / gib,
  };
}

async function measureStatus(sizeBytes: number): Promise<Record<string, number>> {
  const full = await client.open(sizeBytes, SMALL_PART);
  await client.sendParts([full], CONNECTIONS);
  const allStored = await time(`/uploads/${full.upload_id}`);
  const everySecondMissing = await time(`/uploads/${await openWithGaps(sizeBytes)}`);
  return {
    all_stored_p50_ms: quantile(allStored, 0.5),
    all_stored_p99_ms: quantile(allStored, 0.99),
    every_second_missing_p50_ms: quantile(everySecondMissing, 0.5),
    every_second_missing_p99_ms: quantile(everySecondMissing, 0.99),
    healthz_p50_ms: quantile(await time('/healthz'), 0.5),
  };
}

/** An upload of 10,000 parts of which every second one is there: the most ranges that a status can name. */
async function openWithGaps(sizeBytes: number): Promise<string> {
  const { upload_id, part_count } = await client.open(sizeBytes, SMALL_PART);
  const payload = makePayload(SMALL_PART);
  const connection = await Connection.open(server.url);
  for (let idx = 0; idx < part_count; idx += 2) {
    await connection.expect([201], client.head('PUT', `/uploads/${upload_id}/part/${idx}`), payload);
  }
  connection.close();
  return upload_id;
}

async function time(path: string): Promise<number[]> {
  const times: number[] = [];
  const connection = await Connection.open(server.url);
  for (let count = 0; count < STATUS_CALLS; count++) {
    const begin = performance.now();
    await connection.expect([200], client.head('GET', path));
    times.push(performance.now() - begin);
  }
  connection.close();
  return times;
}

function report(title: string, figures: Record<string, number>): void {
  console.log(`\n${title}`);
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name.padEnd(30)} ${value.toFixed(2)}`);
}
