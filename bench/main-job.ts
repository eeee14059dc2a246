/**
 * The main job's figures: memory, `complete` and the status call, on the embedded default.
 *
 *   npm run bench:main-job -- [GiB, 10 unless told] [folder on the disk to measure, the temporary one unless told]
 */
import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { GIB, KIB, MIB } from '@cryolift/protocol/plan';
import { LoadClient, quantile } from './load.ts';
import { startServer } from './server-process.ts';

const gib = Number(process.argv[2] ?? 10);
const folder = process.argv[3] ?? tmpdir();
const CONNECTIONS = 4;
const STATUS_CALLS = 500;

const server = await startServer(folder);
const client = new LoadClient(server, CONNECTIONS + 1);
try {
  report(`floor: SHA-256 twice, write, fdatasync of ${gib} GiB, alone`, { seconds: measureFloor() });
  report(`${gib} GiB in parts of 8 MiB over ${CONNECTIONS} connections`, await measureUpload());
  report('status call with 10,000 parts recorded', await measureStatus());
} finally {
  client.close();
  await server.stop();
}

/** What the same bytes cost when nothing is received: the lower bound of the seconds below. */
function measureFloor(): number {
  const path = join(folder, `cryolift-floor-${process.pid}`);
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
  const before = server.cpuSeconds();
  const begin = performance.now();
  const load = { sizeBytes: gib * GIB, partSizeBytes: 8 * MIB, connections: CONNECTIONS };
  const session = await client.sendParts(load);
  const sent = performance.now();
  const { status, body } = await client.call<FileRecord>('POST', `/uploads/${session.upload_id}/complete`);
  const completed = performance.now();
  if (status !== 200) throw new Error(`complete was answered ${status}`);
  const after = server.cpuSeconds();
  await client.call('DELETE', `/files/${body.file_id}`);
  return {
    seconds: (sent - begin) / 1000,
    complete_ms: completed - sent,
    server_peak_mb: server.peakBytes() / 1e6,
    user_seconds_per_gib: (after.user - before.user) / gib,
    system_seconds_per_gib: (after.system - before.system) / gib,
  };
}

async function measureStatus(): Promise<Record<string, number>> {
  const sizeBytes = 10_000 * 64 * KIB;
  const load = { sizeBytes, partSizeBytes: 64 * KIB, connections: CONNECTIONS };
  const full = await client.sendParts(load);
  const gaps = await openWithGaps(sizeBytes);
  const timeStatus = (uploadId: string) => time(() => client.call('GET', `/uploads/${uploadId}`));
  return {
    all_stored_p50_ms: quantile(await timeStatus(full.upload_id), 0.5),
    all_stored_p99_ms: quantile(await timeStatus(full.upload_id), 0.99),
    every_second_missing_p50_ms: quantile(await timeStatus(gaps), 0.5),
    every_second_missing_p99_ms: quantile(await timeStatus(gaps), 0.99),
    healthz_p50_ms: quantile(await time(() => client.call('GET', '/healthz')), 0.5),
  };
}

/** A session of 10,000 parts of which every second one is there: the most ranges that a status can name. */
async function openWithGaps(sizeBytes: number): Promise<string> {
  const init = { filename: 'gaps.raw', size: sizeBytes, part_size: 64 * KIB };
  const { body } = await client.call<Session>('POST', '/uploads/init', init);
  const bytes = Buffer.alloc(64 * KIB);
  for (let idx = 0; idx < body.part_count; idx += 2)
    await client.call('PUT', `/uploads/${body.upload_id}/part/${idx}`, bytes);
  return body.upload_id;
}

async function time(call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < STATUS_CALLS; count++) {
    const begin = performance.now();
    await call();
    times.push(performance.now() - begin);
  }
  return times;
}

function report(title: string, figures: Record<string, number>): void {
  console.log(`\n${title}`);
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name.padEnd(30)} ${value.toFixed(2)}`);
}
