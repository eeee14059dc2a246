/** 20,000 requests made after the server's own document; a million with `node suites/fuzz/main.ts --requests 1000000`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-under-test.ts';
import { fuzz } from './run.ts';

const REQUESTS = 20_000;
const MIB = 1024 * 1024;

test('fuzz: no request makes a 5xx, an answer outside the document, a leak, or memory grow', {
  timeout: 300_000,
}, async () => {
  const server = await startServer({ CRYOLIFT_ACCEPT: 'txt', CRYOLIFT_QUOTA_BYTES: '64MiB' });
  const seed = Number(process.env.CRYOLIFT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 30));
  const { requests, byStatus, faults, residentBytes } = await fuzz(server, REQUESTS, seed);
  await server.discard();
  assert.deepEqual(faults, [], `seed ${seed}`);
  assert.ok(requests >= REQUESTS);
  // It is of use only while a good part of the requests gets past the first check.
  const successes = (byStatus[200] ?? 0) + (byStatus[201] ?? 0);
  assert.ok(successes > REQUESTS / 20, JSON.stringify(byStatus));
  const [early, late] = residentBytes;
  assert.ok(late - early < 96 * MIB, `memory grew from ${early} to ${late}`);
});
