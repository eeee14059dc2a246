/**
 * One side goes away for a while and comes back; nobody does anything. The times are short here;
 * `CRYOLIFT_LID_SECONDS=180 CRYOLIFT_GONE_SECONDS=600 node --test suites/absence/absence.test.ts` takes the real ones.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SlowUpload } from './upload.ts';

const LID_SECONDS = Number(process.env.CRYOLIFT_LID_SECONDS ?? 5);
const GONE_SECONDS = Number(process.env.CRYOLIFT_GONE_SECONDS ?? 5);
const TIMEOUT = (LID_SECONDS + GONE_SECONDS + 100) * 1000;
/** Parts in flight when it happened, and what the system had taken of them: they may go twice. */
const MAX_WASTE_BYTES = 16 * 1024 * 1024;

function assertLittleWaste(upload: SlowUpload): void {
  const wasteBytes = (upload.last.sentBytes ?? 0) - upload.sizeBytes;
  assert.ok(wasteBytes <= MAX_WASTE_BYTES, `${wasteBytes} bytes were sent again`);
}

test('absence: a laptop whose lid is closed in the middle goes on when it is opened', {
  timeout: TIMEOUT,
}, async (t) => {
  // The server gives up on the connections meanwhile, as it does in three minutes.
  const upload = await SlowUpload.begin(6, { CRYOLIFT_BODY_IDLE_TIMEOUT: '1s' });
  t.after(() => upload.discard());
  await upload.underWay();
  upload.client.kill('SIGSTOP');
  await sleep(LID_SECONDS * 1000);
  upload.client.kill('SIGCONT');
  assert.equal(await upload.finished(), upload.sha256);
  assertLittleWaste(upload);
});

test('absence: a server that goes away and comes back is gone on with', { timeout: TIMEOUT }, async (t) => {
  const upload = await SlowUpload.begin(6);
  t.after(() => upload.discard());
  await upload.underWay();
  await upload.server.kill9();
  await sleep(GONE_SECONDS * 1000);
  assert.match(upload.last.trouble ?? '', /no connection/);
  await upload.server.restart();
  assert.equal(await upload.finished(), upload.sha256);
  assertLittleWaste(upload);
});
