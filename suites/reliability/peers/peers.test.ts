/** The comparison with peers, one round of it against Cryolift, and its checks. `main.ts` has the others. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TusCalls } from '../../protocols/tus/tus-server.ts';
import { TrackedUpload } from './load.ts';
import { compare, noFindings, runRounds } from './rounds.ts';
import { openServer } from './servers.ts';

const TIMEOUT_MS = 230_000;
const NOTHING_WRONG = { gone: 0, wentBack: 0, wentBackBytes: 0, doneNotWhole: 0, wrong: 0, stuck: 0 };

test('uploads of tus and kill -9: no offset goes back, no upload is gone or wrong', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { findings, details } = await runRounds('cryolift', { fault: 'kill', rounds: 1, seed: 3 });
  const { rounds, uploads, acknowledgedBytes, done, oldestSeconds, ...wrong } = findings;
  assert.deepEqual([rounds, oldestSeconds], [1, 0]);
  assert.ok(uploads > 0 && acknowledgedBytes > 0 && done <= uploads);
  assert.deepEqual(wrong, NOTHING_WRONG, details.join('\n'));
});

test('uploads of tus: one that is gone, went back, has other bytes or is not whole is found', {
  timeout: TIMEOUT_MS,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-peers-'));
  t.after(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
  const server = await openServer('cryolift', folder, folder);
  t.after(() => server.kill9());
  const calls = new TusCalls(server);
  const metadata = { 'upload-metadata': `filename ${Buffer.from('a.dat').toString('base64')}` };
  /** @param acknowledgedBytes what its client says. */
  const found = async (sentBytes: number, acknowledgedBytes: number, change: Partial<TrackedUpload> = {}) => {
    const upload = new TrackedUpload('a.dat', 100_000);
    const url = await calls.create({ 'upload-length': '100000', ...metadata });
    if (sentBytes > 0) await calls.patch(url, 0, upload.makeBytes().subarray(0, sentBytes));
    Object.assign(upload, { path: new URL(url).pathname, acknowledgedBytes, doneAtMs: 1000, ...change });
    const findings = noFindings();
    await compare({ server, findings, round: 0, faultMs: 5000, note() {} }, upload);
    const { rounds, uploads, acknowledgedBytes: bytes, done, oldestSeconds, ...wrong } = findings;
    assert.equal(oldestSeconds, wrong.doneNotWhole > 0 ? 4 : 0);
    return wrong;
  };
  assert.deepEqual(await found(50_000, 50_000), NOTHING_WRONG);
  assert.deepEqual(await found(100_000, 100_000), NOTHING_WRONG);
  assert.deepEqual(await found(40_000, 50_000), { ...NOTHING_WRONG, wentBack: 1, wentBackBytes: 10_000 });
  assert.deepEqual(await found(40_000, 100_000), {
    ...NOTHING_WRONG,
    wentBack: 1,
    wentBackBytes: 60_000,
    doneNotWhole: 1,
  });
  assert.deepEqual(await found(0, 100_000, { path: new URL(calls.missingUrl).pathname }), {
    ...NOTHING_WRONG,
    gone: 1,
    doneNotWhole: 1,
  });
  const other = { makeBytes: () => Buffer.alloc(100_000, 1) };
  assert.deepEqual(await found(100_000, 100_000, other), { ...NOTHING_WRONG, doneNotWhole: 1, wrong: 1 });
  assert.deepEqual(await found(50_000, 50_000, { makeBytes: () => Buffer.alloc(60_000, 1) }), {
    ...NOTHING_WRONG,
    stuck: 1,
  });
});
