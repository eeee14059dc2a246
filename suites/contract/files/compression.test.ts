/** Integer movies are stored compressed after a time, and nobody who reads them notices. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FileRecord, ScrubReport } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { AFTER_ONE_SECOND, publishCompressed } from '../compression.ts';
import { EventStream } from '../event-stream.ts';
import { flipBit, makeMovie, sha256Hex } from '../sample.ts';
import { eventually, publish } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';
import { getPicture } from './pictures.ts';

const server = await startServer(AFTER_ONE_SECOND);
after(() => server.discard());
const admin = callAs(server, { sub: 'root', scope: 'admin' });

async function readRecord(call: Call, id: string): Promise<FileRecord> {
  return (await call('GET', `/files/${id}`)).json<FileRecord>();
}

test('compression: a movie has the same size, digest, bytes and tags as before, in half the space', async () => {
  const call = callAs(server, { sub: 'ada', scope: 'files:read files:locate uploads:write files:delete' });
  const bytes = makeMovie();
  const before = await publish(call, bytes, { sha256: sha256Hex(bytes) });
  const { headers } = await call('HEAD', `/files/${before.file_id}/content`);
  const file = await publishCompressed(call, admin, bytes);
  const { compressed, location, ...same } = await readRecord(call, before.file_id);
  assert.ok(compressed && compressed.size < bytes.length / 2, `${compressed?.size} of ${bytes.length}`);
  const { location: _, ...first } = before;
  assert.deepEqual({ ...same, warnings: [], mrc: first.mrc }, { ...first, warnings: [] });
  const content = `/files/${before.file_id}/content`;
  const whole = await call('GET', content);
  assert.deepEqual([whole.status, whole.body.equals(bytes)], [200, true]);
  const middle = await call('GET', content, { headers: { range: 'bytes=1048000-1049999' } });
  assert.deepEqual([middle.status, middle.body.equals(bytes.subarray(1_048_000, 1_050_000))], [206, true]);
  const now = await call('HEAD', content);
  for (const name of ['etag', 'content-length', 'repr-digest', 'content-type', 'last-modified']) {
    assert.equal(now.headers[name], headers[name], name);
  }
  const known = await call('GET', content, { headers: { 'if-none-match': String(headers.etag) } });
  assert.equal(known.status, 304);
  // What a job on the same storage reads: all that is stored of the file.
  assert.match(String(location), /\.mrc\.zst$/);
  const path = fileURLToPath(String(location));
  assert.deepEqual(readdirSync(join(path, '..')), [`${file.filename}.zst`]);
  assert.equal(sha256Hex(readFileSync(path)), compressed.sha256);
});

test('compression: pictures are drawn, copies are made, and a deletion leaves nothing', async () => {
  const call = callAs(server, { sub: 'bert', scope: 'files:read files:locate uploads:write files:delete' });
  const bytes = makeMovie();
  const file = await publishCompressed(call, admin, bytes);
  const picture = await getPicture(call, `/files/${file.file_id}/preview?kind=section&slice=2`);
  assert.deepEqual([picture.status, picture.body.subarray(1, 4).toString()], [200, 'PNG']);
  const answer = await call('POST', `/files/${file.file_id}/copy`, { json: { filename: 'copy.mrc' } });
  const copy = answer.json<FileRecord>();
  assert.deepEqual([copy.sha256, copy.size, copy.compressed], [file.sha256, file.size, file.compressed]);
  assert.equal((await call('DELETE', `/files/${file.file_id}`)).status, 204);
  assert.ok((await call('GET', `/files/${copy.file_id}/content`)).body.equals(bytes));
  const { location } = await readRecord(call, copy.file_id);
  const files = join(fileURLToPath(String(location)), '..', '..');
  assert.ok(!readdirSync(files).includes(file.file_id));
});

test('compression: an event says it, and the scrub reads what is stored', async () => {
  const claims = { sub: 'cleo', scope: 'files:read files:locate uploads:write files:delete' };
  const call = callAs(server, claims);
  const events = await EventStream.open<FileRecord>(server, '/events', claims);
  const file = await publishCompressed(call, admin, makeMovie());
  for (let event = await events.next(); event?.type !== 'cryolift.file.compressed'; event = await events.next()) {
    assert.ok(event);
  }
  events.close();
  const path = fileURLToPath(String(file.location));
  const scrub = async () => {
    await admin('POST', '/admin/scrub');
    return await eventually(
      async () => (await admin('GET', '/admin/scrub')).json<ScrubReport>(),
      ({ status }) => status === 'done',
    );
  };
  assert.deepEqual((await scrub()).faults, []);
  chmodSync(path, 0o600);
  writeFileSync(path, flipBit(readFileSync(path), 1000));
  assert.deepEqual(
    (await scrub()).faults.map(({ file_id, fault }) => [file_id, fault]),
    [[file.file_id, 'damaged']],
  );
});

test('compression: other files stay as they are', async () => {
  const call = callAs(server, { sub: 'dora' });
  const particles = makeMovie({ nx: 64, ny: 64, nz: 100 });
  const floats = makeMovie({ nx: 1040, ny: 16, nz: 4, mode: 2 });
  const others = [];
  for (const bytes of [particles, floats]) others.push(await publish(call, bytes, { sha256: sha256Hex(bytes) }));
  // Looked at in the order of their times.
  await publishCompressed(call, admin, makeMovie());
  for (const { file_id } of others) {
    const { items } = (await call('GET', `/files/${file_id}/jobs`)).json<{ items: { kind: string }[] }>();
    assert.ok(!items.some(({ kind }) => kind === 'compress'));
    assert.equal((await readRecord(call, file_id)).compressed, undefined);
  }
});
