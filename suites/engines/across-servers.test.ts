/** What several servers count, emit and publish together. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { findLease } from '../../packages/server/src/db/leases.ts';
import { openPostgresDatabase } from '../../packages/server/src/db/open.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { EventStream } from '../contract/event-stream.ts';
import { digestHeader, sha256Hex } from '../contract/sample.ts';
import { complete, open, partPath, putAll } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import type { OwnServer } from '../server-under-test.ts';
import { options, startTwo } from './several-servers.ts';

const MIB = 1024 * 1024;
const MAX_OPEN = 5;
const QUOTA_BYTES = 35 * MIB;
const REQUESTS = 40;

/** Opens many uploads at once at both servers. @returns how often each outcome came. */
async function openMany(
  servers: readonly OwnServer[],
  sub: string,
  sizeBytes: number,
): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  await Promise.all(
    Array.from({ length: REQUESTS }, async (_, at) => {
      const call = callAs(servers[at % servers.length] as OwnServer, { sub });
      const json = { filename: `${at}.bin`, size: sizeBytes };
      const answer = await call('POST', '/uploads/init', { json });
      const outcome = answer.status === 201 ? 'opened' : answer.json<{ code: string }>().code;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }),
  );
  return outcomes;
}

test('limits: open uploads and the quota are exact when two servers are asked at once', options, async (t) => {
  const limits = { CRYOLIFT_MAX_OPEN_UPLOADS: String(MAX_OPEN), CRYOLIFT_QUOTA_BYTES: String(QUOTA_BYTES) };
  const servers = await startTwo(t, limits);
  assert.deepEqual(await openMany(servers, 'many', 1000), {
    opened: MAX_OPEN,
    quota_exceeded: REQUESTS - MAX_OPEN,
  });
  assert.deepEqual(await openMany(servers, 'large', 10 * MIB), { opened: 3, quota_exceeded: REQUESTS - 3 });
});

test('events: Last-Event-ID of one server gets what was missed from the other one', options, async (t) => {
  const [one, two] = await startTwo(t);
  const owner = { sub: 'ada' };
  const first = await EventStream.open<UploadRecord>(one, '/events', owner);
  const openAt = async (server: OwnServer) =>
    await open(callAs(server, owner), { filename: 'a.bin', size: 1000, part_size: 5 * MIB });
  const seen = await openAt(two);
  for (let event = await first.next(); event?.data.upload_id !== seen.upload_id; event = await first.next());
  const lastId = first.lastId;
  first.close();
  const missed = [await openAt(one), await openAt(two), await openAt(one)];
  const second = await EventStream.open<UploadRecord>(two, '/events', owner, lastId);
  missed.push(await openAt(one));
  for (const { upload_id } of missed) {
    const event = await second.next();
    assert.equal(event?.data.upload_id, upload_id);
  }
  second.close();
});

// Invariant 3
test(
  'publish: a server that was stopped while it finalized removes nothing that another one has published',
  options,
  async (t) => {
    const url = await makePostgresUrl(t);
    const [one, two] = await startTwo(t, { CRYOLIFT_DATABASE_URL: url });
    const db = await openPostgresDatabase(url, () => {});
    t.after(() => db.destroy());
    const owner = { sub: 'ada' };
    const bytes = randomBytes(40 * MIB);
    const sha256 = sha256Hex(bytes);
    /** Begins to complete an upload at the first server. @returns null when that was over too soon. */
    const begin = async () => {
      const upload = await open(callAs(one, owner), { filename: 'a.bin', size: bytes.length, part_size: 5 * MIB });
      await putAll(callAs(two, owner), upload, bytes);
      let isOver = false;
      const late = complete(callAs(one, owner), upload, { sha256 })
        .catch(() => null)
        .finally(() => {
          isOver = true;
        });
      while (!isOver) if (await findLease(db, `upload/${upload.upload_id}`)) return { upload, late };
      return null;
    };
    let begun = await begin();
    while (!begun) begun = await begin();
    one.signal('SIGSTOP');
    const answer = await complete(callAs(two, owner), begun.upload, { sha256 });
    assert.equal(answer.status, 200, answer.body.toString());
    one.signal('SIGCONT');
    const late = await begun.late;
    // It may have lost its connection, but gives no other answer.
    if (late) assert.ok(late.status === 200 || late.status === 503, late.body.toString());
    const { file_id } = answer.json<FileRecord>();
    await sleep(2_000);
    for (const server of [one, two]) {
      const content = await callAs(server, owner)('GET', `/files/${file_id}/content`);
      assert.equal(sha256Hex(content.body), sha256, `at ${server.url}`);
    }
  },
);

test('readiness: a server is ready, and is not any more when a newer version needs more', options, async (t) => {
  const url = await makePostgresUrl(t);
  const [one] = await startTwo(t, { CRYOLIFT_DATABASE_URL: url });
  const db = await openPostgresDatabase(url, () => {});
  t.after(() => db.destroy());
  const ready = async () => (await fetch(`${one.url}/readyz`)).status;
  assert.equal(await ready(), 200);
  const owner = { sub: 'ada' };
  const upload = await open(callAs(one, owner), { filename: 'a.bin', size: 1000, part_size: 5 * MIB });
  const body = randomBytes(1000);
  await db.insertInto('facts').values({ name: 'schema_floor', value: '999_of_a_later_version' }).execute();
  assert.equal(await ready(), 503);
  // What is under way is not refused: the load balancer decides.
  const headers = { 'content-digest': digestHeader(body) };
  assert.equal((await callAs(one, owner)('PUT', partPath(upload, 0), { body, headers })).status, 201);
});
