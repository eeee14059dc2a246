/** Steps of the first start, and of the first request: on a new data folder each. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../server-under-test.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { arm, disarm, makeFolder, settingsOf } from './crash-site.ts';
import { type DeploymentName, openDeployment, removeFolder, whyNoDeployment } from './deployments.ts';
import { publishOne } from './own-secret.ts';
import { type Point, pointsOf, printPoint } from './points.ts';

const DEATH_MS = 60_000;

const receiver = new Receiver(randomBytes(24));
await receiver.start();
after(() => receiver.stop());
// A start that fails leaves a listener behind.
process.setMaxListeners(0);

// A kill before a step leaves what a kill behind the one before it does.
for (const point of pointsOf('start').filter(({ when }) => when !== 'before')) {
  const name = point.name.startsWith('mark.') ? 'shared' : 'disk';
  test(
    `a first start that is killed ${printPoint(point)} is repeated`,
    {
      skip: whyNoDeployment(name) ?? false,
      timeout: 4 * 60_000,
    },
    () => killStart(name, point),
  );
}

async function killStart(name: DeploymentName, point: Point): Promise<void> {
  const folder = makeFolder();
  const dataDir = join(folder, 'data');
  const settings = {
    ...(await settingsOf(folder, await openDeployment(name, folder), receiver)),
    // It makes its secrets.
    CRYOLIFT_JWT_SECRET: '',
    CRYOLIFT_WEBHOOK_SECRET: '',
  };
  arm(folder, { ...point, nth: 1 });
  const isDead = () => existsSync(join(folder, 'reached'));
  const first = await startServer(settings).catch((error: unknown) => {
    if (!isDead()) throw error;
    return null;
  });
  // Its first request is the first line of the audit.
  if (first) await publishOne(first, dataDir).catch(() => {});
  for (const endMs = performance.now() + DEATH_MS; !isDead() && performance.now() < endMs; ) await sleep(20);
  assert.ok(isDead(), `${printPoint(point)} is not reached`);
  disarm(folder);
  await first?.discard();
  const second = await startServer(settings);
  await publishOne(second, dataDir);
  await second.discard();
  removeFolder(folder);
}
