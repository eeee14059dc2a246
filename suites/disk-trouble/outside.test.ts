/** A start and a backup say in a line why a disk does not let them, and leave nothing that is taken for whole. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeFolder } from '../crash-points/deployments.ts';
import { publishOne } from '../crash-points/own-secret.ts';
import { startServer } from '../server-under-test.ts';
import { failBackups, failStart, listBackupCalls, listStartCalls, startAgain } from './outside.ts';
import { ERRNOS, printTrial, type Trial } from './trials.ts';
import { makeFolder } from './trouble-site.ts';

const TIMEOUT_MS = 10 * 60_000;

function toTrial(call: string, nth: number): Trial {
  return { call, trouble: ERRNOS[nth % ERRNOS.length] ?? 'EIO', nth: 1, lasts: false };
}

/** One of each module: a start takes long. `main.ts --part outside` has all. */
function pickStartCalls(): string[] {
  return [...Map.groupBy(listStartCalls(), (call) => call.split(' ', 1)[0]).values()].map(
    (calls) => calls.at(-1) as string,
  );
}

test('calls of a first start fail: it says why, and the next start works', {
  timeout: TIMEOUT_MS,
}, async () => {
  const folder = makeFolder();
  for (const trial of pickStartCalls().map(toTrial))
    assert.deepEqual(await failStart(folder, trial), [], printTrial(trial));
  await startAgain(folder);
  removeFolder(folder);
});

test('each kind of call of a backup fails: there is none, or a whole one', { timeout: TIMEOUT_MS }, async (t) => {
  const folder = makeFolder();
  const dataDir = join(folder, 'data');
  const server = await startServer({ CRYOLIFT_DATA_DIR: dataDir, CRYOLIFT_JWT_SECRET: '' });
  t.after(async () => {
    await server.discard();
    removeFolder(folder);
  });
  await publishOne(server, dataDir);
  assert.deepEqual(await failBackups(folder, dataDir, listBackupCalls().map(toTrial)), []);
});
