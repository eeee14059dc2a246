/** Two servers whose clocks are twenty minutes apart: everything goes by the clock of their database. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { EventStream } from '../contract/event-stream.ts';
import { digestHeader, sha256Hex } from '../contract/sample.ts';
import { complete, cutPart, eventually, open, partPath } from '../contract/upload.ts';
import { type Call, callAs, callWith } from '../contract/wire.ts';
import { makeContent } from '../reliability/content.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { query } from './sessions.ts';

const MINUTE_MS = 60_000;
const OFF_MS = 10 * MINUTE_MS;
/** Of uploads, in seconds. Nothing expires in so long after a start. */
const TTL_SECONDS = 4;
const PART_BYTES = 64 * 1024;
/** Of times of two servers: by what their questions to the database take on a busy machine. */
const TOLERANCE_MS = 5_000;
const PRELOAD = fileURLToPath(new URL('shifted-clock.mjs', import.meta.url));
const OWNER = { sub: 'ada' };

const folder = mkdtempSync(join(tmpdir(), 'cryolift-clocks-'));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Keeps every lease that another holder takes before its time is over. */
const WATCH_LEASES = `
create table taken (name text, left_ms bigint);
create function watch_leases() returns trigger language plpgsql as $$
declare
  left_ms bigint := old.expires_at - (extract(epoch from clock_timestamp()) * 1000)::bigint;
begin
  if new.holder <> old.holder and left_ms > 0 then insert into taken values (old.name, left_ms); end if;
  return new;
end $$;
create trigger watch_leases before update on leases for each row execute function watch_leases();`;

function isNow(time: string): boolean {
  return Math.abs(Date.parse(time) - Date.now()) < TOLERANCE_MS;
}

test('clocks: servers whose clocks are twenty minutes apart end nothing early, and nothing is stuck', {
  skip: whyNoCluster() ?? false,
  timeout: 10 * MINUTE_MS,
}, async (t) => {
  const receiver = new Receiver(randomBytes(24));
  await receiver.start();
  t.after(() => receiver.stop());
  const settings = {
    CRYOLIFT_DATABASE_URL: await makePostgresUrl(t),
    CRYOLIFT_STORAGE_URL: `file:${join(folder, 'storage')}`,
    CRYOLIFT_ACCEPT: 'dat',
    CRYOLIFT_SESSION_TTL: `${TTL_SECONDS}s`,
    CRYOLIFT_WEBHOOK_URL: receiver.url,
    CRYOLIFT_WEBHOOK_SECRET: `whsec_${receiver.key.toString('base64')}`,
    NODE_OPTIONS: `--import ${PRELOAD}`,
  };
  const fast = await startServer({ ...settings, CLOCK_MS: String(OFF_MS) });
  t.after(() => fast.discard());
  const slow = await startServer({ ...settings, CLOCK_MS: String(-OFF_MS) });
  t.after(() => slow.discard());
  const servers = [fast, slow] as const;
  const startedMs = performance.now();
  await query(settings.CRYOLIFT_DATABASE_URL, WATCH_LEASES);
  for (const { stderr } of servers) assert.match(stderr, /the clock of this system is not that of the database/);

  const events = await EventStream.open<UploadRecord>(fast, '/events', OWNER);
  await t.test('tokens: both take what is valid now, and nothing else', () => checkTokens(servers));
  await t.test('signed URLs: of one server are good at the other one, and end at the same time', () =>
    checkSigned(servers),
  );
  await t.test('parts, jobs: files are right, and get their digests', () => checkFiles(servers));
  await t.test('leases: none is taken before its time is over', async () => {
    assert.deepEqual(await query(settings.CRYOLIFT_DATABASE_URL, 'select * from taken'), []);
  });
  await t.test('order: uploads of both are listed as they were opened', () => checkOrder(servers));
  await sleep(Math.max(0, startedMs + (TTL_SECONDS + 1) * 1000 - performance.now()));
  await t.test('expiry: in their time, not before, whoever asks or sweeps', () => checkExpiry(servers));
  await t.test('events: have the time of now, in their order', async () => {
    const last = await open(callAs(slow, OWNER), { filename: 'last.dat', size: 1000, part_size: PART_BYTES });
    const seen = await events.until(({ subject }) => subject === `uploads/${last.upload_id}`);
    const ofUploads = seen.filter(({ subject }) => subject.startsWith('uploads/'));
    const times = ofUploads.map(({ data }) => Date.parse(data.updated_at));
    for (const [at, time] of times.entries()) assert.ok(time >= (times[at - 1] ?? 0) - TOLERANCE_MS, `${times}`);
    assert.ok(isNow(ofUploads.at(-1)?.data.updated_at as string));
    await receiver.reach((received) => received.some(({ data }) => data.upload_id === last.upload_id));
    // It compares the time of each delivery with its own.
    assert.deepEqual(receiver.faults, []);
  });
  events.close();
});

async function checkTokens(servers: readonly OwnServer[]): Promise<void> {
  for (const server of servers) {
    const ask = async (claims: object) => {
      const call = callWith(server, { authorization: `Bearer ${server.token({ ...OWNER, ...claims })}` });
      return (await call('GET', '/uploads')).status;
    };
    assert.equal(await ask({ ttlSeconds: 120 }), 200);
    assert.equal(await ask({ ttlSeconds: -120 }), 401);
    assert.equal(await ask({ nbf: Math.floor(Date.now() / 1000) + 300 }), 401);
  }
}

async function checkSigned(servers: readonly OwnServer[]): Promise<void> {
  for (const [at, signer] of servers.entries()) {
    const other = servers[1 - at] as OwnServer;
    const call = callAs(signer, OWNER);
    const upload = await open(call, { filename: `signed-${at}.dat`, size: 1000, part_size: PART_BYTES });
    const sign = async (seconds: number) => {
      const json = { parts: [[0, 0]], expires_in: seconds };
      const answer = await call('POST', `/uploads/${upload.upload_id}/sign`, { json });
      assert.equal(answer.status, 200, answer.body.toString());
      const [signed] = answer.json<{ urls: { url: string }[] }>().urls;
      return new URL(signed?.url as string);
    };
    const body = makeContent('signed', 1000);
    const send = async (server: OwnServer, { pathname, search }: URL) =>
      await callWith(server, {})('PUT', pathname + search, { body, headers: { 'content-digest': digestHeader(body) } });
    const short = await sign(1);
    const stored = await send(other, await sign(60));
    assert.equal(stored.status, 201, stored.body.toString());
    await eventually(
      async () => (await send(other, short)).status,
      (status) => status === 403,
    );
    assert.equal((await send(signer, short)).status, 403);
  }
}

async function checkFiles([one, two]: readonly [OwnServer, OwnServer]): Promise<void> {
  const bytes = makeContent('file.dat', 3 * PART_BYTES + 100);
  const [first, second] = [callAs(one, OWNER), callAs(two, OWNER)];
  const upload = await open(first, { filename: 'file.dat', size: bytes.length, part_size: PART_BYTES });
  // Each part goes to both at once: one of them has the lease.
  for (let idx = 0; idx < upload.part_count; idx++) {
    const body = cutPart(bytes, upload, idx);
    const extra = { body, headers: { 'content-digest': digestHeader(body) } };
    await eventually(
      () => Promise.all([first, second].map((call) => call('PUT', partPath(upload, idx), extra))),
      (answers) => answers.every(({ status }) => status === 200 || status === 201),
    );
  }
  const answers = await Promise.all([first, second].map((call) => complete(call, upload)));
  for (const answer of answers) {
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal(answer.json<{ sha256: string }>().sha256, sha256Hex(bytes));
  }
}

async function checkOrder([one, two]: readonly [OwnServer, OwnServer]): Promise<void> {
  const opened: string[] = [];
  for (const server of [one, two, one, two]) {
    const upload = await open(callAs(server, { sub: 'order' }), { filename: `${opened.length}.dat`, size: 1000 });
    assert.ok(isNow(upload.created_at), upload.created_at);
    opened.push(upload.upload_id);
    // More than what their estimates differ by.
    await sleep(400);
  }
  const { items } = (await callAs(two, { sub: 'order' })('GET', '/uploads')).json<UploadPage>();
  assert.deepEqual(
    items.map(({ upload_id }) => upload_id),
    opened.reverse(),
  );
}

async function checkExpiry(servers: readonly OwnServer[]): Promise<void> {
  const sweepAll = async () => {
    for (const server of servers) {
      const answer = await callAs(server, { sub: 'root', scope: 'admin' })('POST', '/admin/sweep');
      assert.equal(answer.status, 200, answer.body.toString());
    }
  };
  const begun = await Promise.all(
    servers.map(async (server) => {
      const call = callAs(server, OWNER);
      const beganMs = performance.now();
      const upload = await open(call, { filename: `expires-${beganMs}.dat`, size: 1000, part_size: PART_BYTES });
      const cancelled = await open(call, { filename: `cancelled-${beganMs}.dat`, size: 1000, part_size: PART_BYTES });
      assert.equal((await call('DELETE', `/uploads/${cancelled.upload_id}`)).status, 204);
      return { upload, cancelled, beganMs };
    }),
  );
  // Nothing is ended, or forgotten, before its time.
  const statusOf = async (call: Call, { upload_id }: UploadRecord) => {
    const answer = await call('GET', `/uploads/${upload_id}`);
    return answer.status === 200 ? answer.json<UploadRecord>().status : answer.status;
  };
  const untilMs = Math.min(...begun.map(({ beganMs }) => beganMs)) + (TTL_SECONDS - 1) * 1000;
  while (performance.now() < untilMs) {
    await sweepAll();
    for (const server of servers) {
      for (const { upload, cancelled } of begun) {
        const statuses = [
          await statusOf(callAs(server, OWNER), upload),
          await statusOf(callAs(server, OWNER), cancelled),
        ];
        // A busy machine may have taken longer than it is to be kept.
        if (performance.now() < untilMs) assert.deepEqual(statuses, ['pending', 'cancelled']);
      }
    }
    await sleep(500);
  }
  for (const { upload, cancelled } of begun) {
    for (const server of servers) {
      const call = callAs(server, OWNER);
      await eventually(
        () => statusOf(call, upload),
        (status) => status === 'expired' || status === 404,
      );
      await eventually(
        async () => {
          await sweepAll();
          return await statusOf(call, cancelled);
        },
        (status) => status === 404,
      );
    }
  }
}
