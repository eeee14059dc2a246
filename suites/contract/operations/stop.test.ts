/** A server that verifies stored bytes for hours serves requests meanwhile, and can be stopped. */
import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { OwnedUploadPage } from '@cryolift/protocol/messages';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { eventually, open, openSample, putAll } from '../upload.ts';
import { callAs } from '../wire.ts';

/** No disk and no processor reads it while this test runs; on the disk it takes no space. */
const HUGE_BYTES = 4 * 2 ** 40;

/** Makes uploads of one part huge, by hand. The server must be stopped. */
function enlarge({ dataDir }: OwnServer, changes: Record<string, string>): void {
  const db = new DatabaseSync(join(dataDir, 'cryolift.sqlite'));
  for (const [id, change] of Object.entries(changes)) {
    truncateSync(join(dataDir, 'staging', id), HUGE_BYTES);
    db.exec(
      `UPDATE uploads SET size = ${HUGE_BYTES}, part_size = ${HUGE_BYTES}, received_bytes = ${HUGE_BYTES}, ${change} WHERE id = '${id}'`,
    );
  }
  db.close();
}

test('stop: a server that verifies terabytes sweeps, expires others, and ends in the time that a stop has', async (context) => {
  const server = await startServer({ CRYOLIFT_SESSION_TTL: '10s', CRYOLIFT_DATABASE_URL: 'sqlite:' });
  context.after(() => server.discard());
  const [call, admin] = [callAs(server, { sub: 'ada' }), callAs(server, { scope: 'admin' })];
  const [doubtful, complete] = [await openSample(call, 1), await openSample(call, 1)];
  for (const { upload, bytes } of [doubtful, complete]) await putAll(call, upload, bytes);
  assert.equal(await server.stop(), 0);
  enlarge(server, {
    [doubtful.upload.upload_id]: 'must_recheck = 1',
    [complete.upload.upload_id]: `status = 'verifying', file_id = 'file'`,
  });
  await server.restart();

  const silent = await open(call, { filename: 'silent.mrc' });
  await eventually(
    async () => (await admin('GET', '/admin/sessions?status=expired')).json<OwnedUploadPage>().items,
    (expired) => expired.some(({ upload_id }) => upload_id === silent.upload_id),
  );
  const swept = await admin('POST', '/admin/sweep');
  assert.equal(swept.status, 200, swept.body.toString());
  // What is verified has not ended meanwhile.
  const { items } = (await admin('GET', '/admin/sessions')).json<OwnedUploadPage>();
  const statusOf = (id: string) => items.find(({ upload_id }) => upload_id === id)?.status;
  assert.equal(statusOf(doubtful.upload.upload_id), 'uploading');
  assert.equal(statusOf(complete.upload.upload_id), 'verifying');
  assert.equal(await server.stop(), 0);
  assert.match(server.stderr, /"what":"housekeeping".*the next start finishes it/);
});
