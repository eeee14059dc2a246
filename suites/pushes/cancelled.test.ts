/** A push that is cancelled in the middle of a file leaves nothing of it, and can be begun again. */
import assert from 'node:assert/strict';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PushRecord, UploadPage } from '@cryolift/protocol/messages';
import { eventually } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { missingFolders, startFolders } from './folders.ts';
import { startHoldingProxy } from './holding-proxy.ts';
import { endOf, fillDataset, LONG, push, type Scope, writeDestinations } from './site.ts';

const MIB = 1024 * 1024;
const SIZE = 20 * MIB;

/** @param begun whether some bytes of the file are there. @param left what is there of files that were begun. */
async function testCancel(
  t: Scope,
  destination: { readonly url: string },
  begun: () => Promise<boolean>,
  left: () => Promise<readonly string[]>,
): Promise<void> {
  const url = new URL(destination.url);
  const proxy = await startHoldingProxy(t, Number(url.port));
  url.port = String(proxy.port);
  const held = { ...destination, url: url.href };
  const server = await startServer({ CRYOLIFT_DESTINATIONS: writeDestinations(t, { held }) });
  t.after(() => server.discard());
  const call = callAs(server, { sub: 'ada' });
  const { id } = await fillDataset(call, 'session 1', [SIZE]);
  // Some parts of 1 MiB arrive, and not the whole file.
  proxy.holdAfter = 1.5 * MIB;
  const first = await push(call, id, 'held');
  await eventually(begun, Boolean);
  const answer = await call('DELETE', `/datasets/${id}/pushes/${first.push_id}`);
  assert.deepEqual([answer.status, answer.json<PushRecord>().state], [200, 'cancelled']);
  await eventually(left, (names) => names.length === 0);
  proxy.holdAfter = null;
  const again = await endOf(call, await push(call, id, 'held'));
  assert.deepEqual([again.push_id, again.state, again.files_done], [first.push_id, 'done', 1], JSON.stringify(again));
}

for (const name of ['tape', 'cloud'] as const) {
  const kind = name === 'tape' ? 'SFTP' : 'WebDAV';
  test(`pushes: cancelled in the middle of a file, ${kind}`, { ...LONG, skip: missingFolders }, async (t) => {
    const { folder, destinations } = await startFolders(t);
    const left = async () => globSync('**/*.cryolift-part', { cwd: folder });
    const begun = async () => (await left()).some((path) => statSync(join(folder, path)).size > 0);
    await testCancel(t, destinations[name], begun, left);
    assert.equal(globSync('**/*.mrc', { cwd: folder }).length, 1);
  });
}

test('pushes: cancelled in the middle of a file, Cryolift', LONG, async (t) => {
  const there = await startServer({ CRYOLIFT_PART_SIZE: '1MiB' });
  t.after(() => there.discard());
  const callThere = callAs(there, { sub: 'robot' });
  const list = async () => (await callThere('GET', '/uploads')).json<UploadPage>().items;
  const begun = async () => (await list()).some(({ received_parts }) => received_parts > 0);
  const left = async () => (await list()).filter(({ status }) => status !== 'cancelled').map((each) => each.upload_id);
  const archive = { kind: 'cryolift', url: there.url, token: there.token({ sub: 'robot' }) };
  await testCancel(t, archive, begun, left);
});
