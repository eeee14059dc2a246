/** What happens is what /metrics says: each thing counted once, also what goes wrong, and what a restart finds. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestHeader, makeMrc, sha256Hex } from '../contract/sample.ts';
import {
  complete,
  cutPart,
  eventually,
  open,
  openSample,
  PART_BYTES,
  publish,
  put,
  putAll,
  putBody,
} from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { readSamples, type Sample, sumOf } from './exposition.ts';

/** Reads figures of the same server again and again. */
function gauge(server: OwnServer) {
  return async (name: string, labels: Sample['labels'] = {}) => sumOf(await readSamples(server), name, labels);
}

test('parts: each is counted once, its bytes as often as they came', async () => {
  const server = await startServer();
  const read = gauge(server);
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await putAll(call, upload, bytes);
  assert.equal(await read('cryolift_parts_total', { outcome: 'stored' }), 4);
  assert.equal(await read('cryolift_part_bytes_total'), bytes.length);
  assert.equal(await read('cryolift_received_bytes_total'), bytes.length);

  // With its digest it is answered from its head; without, its bytes come once more.
  await put(call, upload, 0, bytes);
  assert.equal(await read('cryolift_parts_total', { outcome: 'deduplicated' }), 1);
  assert.equal(await read('cryolift_received_bytes_total'), bytes.length);
  await putBody(call, upload, 0, cutPart(bytes, upload, 0), {});
  assert.equal(await read('cryolift_parts_total', { outcome: 'deduplicated' }), 2);
  assert.equal(await read('cryolift_received_bytes_total'), bytes.length + PART_BYTES);

  assert.equal(await read('cryolift_parts_total', { outcome: 'stored' }), 4);
  assert.equal(await read('cryolift_part_bytes_total'), bytes.length);
  for (const [stage, times] of Object.entries({ receive: 5, write: 4, commit: 4 })) {
    assert.equal(await read('cryolift_stage_duration_seconds_count', { stage }), times, stage);
  }
  await server.discard();
});

test('checksum mismatches: of a part, and of a file that two wait for', async () => {
  const server = await startServer();
  const read = gauge(server);
  for (const what of ['part', 'file', 'stored_part']) {
    assert.equal(await read('cryolift_verify_failures_total', { what }), 0, 'a rise must begin somewhere');
  }
  const call = callAs(server);
  const bytes = makeMrc(3 * PART_BYTES);
  const upload = await open(call, { size: bytes.length, sha256: sha256Hex(Buffer.from('another file')) });
  const damaged = cutPart(bytes, upload, 1).fill(1);
  const announced = { 'content-digest': digestHeader(cutPart(bytes, upload, 1)) };
  assert.equal((await putBody(call, upload, 1, damaged, announced)).status, 422);
  assert.equal(await read('cryolift_verify_failures_total', { what: 'part' }), 1);
  assert.equal(await read('cryolift_errors_total', { code: 'part_checksum_mismatch' }), 1);
  assert.equal(await read('cryolift_received_bytes_total'), PART_BYTES);
  assert.equal(await read('cryolift_parts_total'), null);

  await putAll(call, upload, bytes);
  await Promise.all([complete(call, upload), complete(call, upload)]);
  assert.equal(await read('cryolift_verify_failures_total', { what: 'file' }), 1);
  assert.equal(await read('cryolift_sessions', { status: 'failed' }), 1);
  await server.discard();
});

test('metrics: what is open and waits is known right after a restart', async () => {
  const on = { CRYOLIFT_WEBHOOK_URL: 'http://127.0.0.1:9/nobody-listens' };
  const server = await startServer(on);
  const read = gauge(server);
  const call = callAs(server);
  assert.equal(await read('cryolift_sessions', { status: 'uploading' }), 0);
  await open(call);
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 0, bytes);
  await server.kill9();
  await server.restart();
  assert.equal(await read('cryolift_sessions', { status: 'pending' }), 1);
  assert.equal(await read('cryolift_sessions', { status: 'uploading' }), 1);
  assert.ok(((await read('cryolift_webhook_deliveries', { status: 'waiting' })) ?? 0) >= 2);
  assert.equal(await read('cryolift_webhook_deliveries', { status: 'dead' }), 0);
  await server.discard();
});

test('metrics: stages of a file, and the free space', async () => {
  const server = await startServer({ CRYOLIFT_ON_COMPLETE: 'false' });
  const read = gauge(server);
  assert.equal(await read('cryolift_job_duration_seconds_count', { kind: 'on_complete', outcome: 'failed' }), 0);
  const free = (await read('cryolift_storage_free_bytes')) ?? 0;
  const size = (await read('cryolift_storage_size_bytes')) ?? 0;
  assert.ok(free > 0 && free <= size, `${free} of ${size}`);

  await publish(callAs(server), makeMrc(2000));
  for (const stage of ['verify', 'publish']) {
    assert.equal(await read('cryolift_stage_duration_seconds_count', { stage }), 1, stage);
  }
  const ended = (kind: string, outcome: string) => () => read('cryolift_job_duration_seconds_count', { kind, outcome });
  await eventually(ended('survey', 'done'), (count) => count === 1);
  await eventually(ended('on_complete', 'failed'), (count) => count === 1);
  assert.equal(await read('cryolift_jobs'), 0);
  await server.discard();
});

test('metrics: a storage that is gone costs its own figures, not the others', async () => {
  const server = await startServer();
  const read = gauge(server);
  await rm(join(server.dataDir, 'staging'), { recursive: true });
  assert.equal(await read('cryolift_storage_free_bytes'), null);
  assert.equal(await read('cryolift_sessions', { status: 'pending' }), 0);
  assert.ok(((await read('cryolift_unread_gauges_total', { gauge: 'cryolift_storage_free_bytes' })) ?? 0) > 0);
  await server.discard();
});
