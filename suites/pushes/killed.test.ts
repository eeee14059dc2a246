/** A push is done only when all files and the receipt are there, wherever the server is killed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DatasetRecord, FilePage, PushRecord } from '@cryolift/protocol/messages';
import { eventually } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { arm, disarm, makeFolder, PRELOAD } from '../crash-points/crash-site.ts';
import { type DeploymentName, openDeployment, removeFolder, whyNoDeployment } from '../crash-points/deployments.ts';
import { startServer } from '../server-under-test.ts';
import { endOf, fillDataset, push, writeDestinations } from './site.ts';

const POINTS = ['push.requested', 'push.begun', 'push.file-sent', 'push.file-noted', 'push.receipt-sent'];
const SIZES = [2000, 3000];

async function testKills(t: TestContext, name: DeploymentName): Promise<void> {
  const folder = makeFolder();
  t.after(() => removeFolder(folder));
  const there = await startServer();
  t.after(() => there.discard());
  const archive = { kind: 'cryolift', url: there.url, token: there.token({ sub: 'robot' }) };
  const deployment = await openDeployment(name, folder);
  const here = await startServer({
    ...deployment.settings,
    CRYOLIFT_DESTINATIONS: writeDestinations(t, { archive }),
    NODE_OPTIONS: `--import ${PRELOAD}`,
    CRASH_FOLDER: folder,
  });
  t.after(() => here.discard());
  const callThere = callAs(there, { sub: 'robot' });
  for (const point of POINTS) {
    const call = callAs(here, { sub: point });
    const { id } = await fillDataset(call, point, SIZES);
    arm(folder, { name: point, when: 'between', nth: 1 });
    await call('POST', `/datasets/${id}/pushes`, { json: { to: 'archive' } }).catch(() => {});
    await eventually(
      async () => existsSync(join(folder, 'reached')),
      (isDead) => isDead,
    );
    await here.kill9();
    disarm(folder);
    await deployment.passTime();
    await here.restart();
    const [found] = (await call('GET', `/datasets/${id}/pushes`)).json<{ items: PushRecord[] }>().items;
    // It may have ended already.
    assert.ok(found && found.state !== 'failed' && found.state !== 'cancelled', `${point}: ${JSON.stringify(found)}`);
    // Without another call.
    const ended = await endOf(call, found);
    assert.deepEqual([ended.state, ended.files_done, ended.bytes_done], ['done', 2, 5000], point);
    const { items } = (await callThere('GET', `/datasets?name=${point}`)).json<{ items: DatasetRecord[] }>();
    assert.deepEqual([items[0]?.state, items[0]?.files], ['complete', 2], point);
    const page = (await callThere('GET', `/datasets/${items[0]?.dataset_id}/files`)).json<FilePage>();
    assert.deepEqual(page.items.map(({ size }) => size).sort(), SIZES);
    // What was sent is not there twice, and nothing is sent by a push that is done.
    assert.equal((await push(call, id, 'archive')).push_id, found.push_id);
  }
}

for (const [name, what] of [
  ['disk', 'SQLite'],
  ['shared', 'PostgreSQL'],
] as const) {
  test(
    `pushes: begun before a kill, ended after it, on ${what}`,
    { timeout: 5 * 60_000, skip: whyNoDeployment(name) ?? false },
    async (t) => await testKills(t, name),
  );
}
