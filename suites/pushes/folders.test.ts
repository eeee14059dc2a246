/** Datasets are copied to folders of SFTP and WebDAV servers. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { sha256Hex } from '../contract/sample.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { missingFolders, startFolders } from './folders.ts';
import { endOf, fillDataset, LONG, push, writeDestinations } from './site.ts';

const MIB = 1024 * 1024;

test('pushes: arrive in folders of SFTP and WebDAV servers', { ...LONG, skip: missingFolders }, async (t) => {
  const { folder, destinations } = await startFolders(t);
  const server = await startServer({ CRYOLIFT_DESTINATIONS: writeDestinations(t, destinations) });
  t.after(() => server.discard());
  const call = callAs(server, { sub: 'ada' });
  const { id, files } = await fillDataset(call, 'session 1', [3000, 20 * MIB, 1500]);
  for (const name of ['tape', 'cloud']) {
    const place = join(folder, name, `session_1-${id}`);
    const [first] = files.keys();
    const path = join(place, 'data', first as string);
    // What another attempt has left.
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.cryolift-part`, 'not the beginning of this file');
    const ended = await endOf(call, await push(call, id, `${name}/${name}`));
    assert.equal(ended.state, 'done', `${name}: ${JSON.stringify(ended)}`);
    for (const [each, bytes] of files) {
      assert.equal(sha256Hex(readFileSync(join(place, 'data', each))), sha256Hex(bytes), `${name} ${each}`);
    }
    const receipt = await call('GET', `/datasets/${id}/receipt`);
    const [found = ''] = globSync('receipt-*.json', { cwd: place });
    assert.deepEqual(readFileSync(join(place, found)), receipt.body);
    assert.equal(globSync('**/*.cryolift-part', { cwd: place }).length, 0);
    // Nothing is replaced.
    writeFileSync(path, Buffer.alloc(3000, 1));
    const refused = await endOf(call, await push(call, id, `${name}/${name}`));
    assert.equal(refused.state, 'failed');
    assert.match(refused.error ?? '', /A different file is at/);
    assert.deepEqual(readFileSync(path), Buffer.alloc(3000, 1));
  }
  const other = await endOf(call, await push(call, id, 'other'));
  assert.equal(other.state, 'failed');
  assert.match(other.error ?? '', /another host key/);
});
