/** The table under "Restore" in docs/guides/scale-out.md: a database of an earlier moment, and the bucket of now. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { Bucket } from '../../packages/server/src/storage/s3/bucket.ts';
import { listMultiparts } from '../../packages/server/src/storage/s3/multiparts.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { complete, eventually, open, publish, put, putAll, readUploadRecord } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { missingSeaweed, startSeaweed } from '../engines/seaweedfs.ts';
import { startServer } from '../server-under-test.ts';
import { ROOT } from './files.ts';

const PART_BYTES = 5 * 1024 * 1024;
const PREFIX = 'restored';
const CALLER = { sub: 'ada', scope: 'admin' };
const MESSAGES = [
  'a file record without bytes',
  'folder in files/ without a record, not changed',
  'staging file without a live upload removed',
];
const options = { skip: whyNoCluster() ?? missingSeaweed(), timeout: 200_000 };

test(
  'restore: with an older database than the bucket, every difference is reported or repaired',
  options,
  async (t) => {
    const seaweed = await startSeaweed();
    t.after(() => seaweed.stop());
    const bucket = new Bucket({ ...seaweed, prefix: '', pathStyle: true });
    t.after(() => bucket.close());
    const databaseUrl = await makePostgresUrl(t);
    const startOn = async (url: string) => {
      const server = await startServer({
        CRYOLIFT_DATABASE_URL: url,
        ...seaweed.settings(PREFIX),
      });
      t.after(() => server.discard());
      return { server, call: callAs(server, CALLER) };
    };
    const staged = async () => (await Array.fromAsync(listMultiparts(bucket, `${PREFIX}/`))).map(({ key }) => key);

    const first = await startOn(databaseUrl);
    const kept = await publish(first.call, makeMrc(3000), { filename: 'kept.mrc' });
    const deleted = await publish(first.call, makeMrc(3001), { filename: 'deleted.mrc' });
    const bytes = makeMrc(2 * PART_BYTES + 1500);
    const finished = await open(first.call, { filename: 'finished.mrc', size: bytes.length, part_size: PART_BYTES });
    await put(first.call, finished, 0, bytes);
    await first.server.stop();
    const backup = await makePostgresUrl(t, new URL(databaseUrl).pathname.slice(1));

    const later = await startOn(databaseUrl);
    assert.equal((await later.call('DELETE', `/files/${deleted.file_id}`)).status, 204);
    await putAll(later.call, finished, bytes);
    assert.equal((await complete(later.call, finished)).status, 200);
    const unknown = await publish(later.call, makeMrc(3002), { filename: 'unknown.mrc' });
    const begun = await open(later.call, { filename: 'begun.mrc', size: bytes.length, part_size: PART_BYTES });
    await put(later.call, begun, 0, bytes);
    await later.server.stop();
    assert.equal((await staged()).length, 1);

    const { server, call } = await startOn(backup);
    assert.equal((await call('POST', '/admin/sweep')).status, 200);
    const lines = await eventually(
      async () =>
        server.stderr
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Record<string, string>),
      (all) => MESSAGES.every((message) => all.some(({ msg }) => msg === message)),
    );
    const idsOf = (message: string) => {
      const found = lines.filter(({ msg }) => msg === message).map(({ file_id, upload_id }) => file_id ?? upload_id);
      return [...new Set(found)].sort();
    };
    const [withoutBytes = '', withoutRecord = '', withoutUpload = ''] = MESSAGES;
    assert.deepEqual(idsOf(withoutBytes), [deleted.file_id]);
    assert.ok(idsOf(withoutRecord).includes(unknown.file_id));
    assert.deepEqual(idsOf(withoutUpload), [begun.upload_id]);
    assert.deepEqual(await staged(), []);
    const guide = readFileSync(join(ROOT, 'docs/guides/scale-out.md'), 'utf8');
    for (const message of MESSAGES) assert.ok(guide.includes(`\`${message}\``), message);

    assertFailure(await call('GET', `/files/${deleted.file_id}/content`), 'storage_unavailable');
    assert.equal((await call('GET', `/files/${unknown.file_id}`)).status, 404);
    assert.equal((await call('GET', `/files/${kept.file_id}/content`)).status, 200);
    // Its part is gone, its object is there: the client is asked for all parts, and the object is found to be that file.
    const answer = await put(call, finished, 1, bytes);
    assert.equal(answer.status, 503, answer.body.toString());
    await eventually(
      async () => (await readUploadRecord(call, finished)) as UploadRecord,
      ({ received_parts }) => received_parts === 0,
    );
    await putAll(call, finished, bytes);
    const again = await complete(call, finished);
    assert.equal(again.status, 200, again.body.toString());
    const { file_id } = again.json<FileRecord>();
    const content = await call('GET', `/files/${file_id}/content`);
    assert.equal(sha256Hex(content.body), sha256Hex(bytes));
    assert.deepEqual(await staged(), []);
  },
);
