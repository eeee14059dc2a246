/** Two servers on one PostgreSQL and one bucket: any call may go to either of them, and either may be killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { makeMrc, sha256Hex, shuffle } from '../contract/sample.ts';
import { cutPart, initRequest, putBody } from '../contract/upload.ts';
import { type Answer, type Call, callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { missingService } from './s3-service.ts';
import { findService } from './shared-service.ts';

const PART_BYTES = 5 * 1024 * 1024;
const PART_COUNT = 4;
const FILES = 6;
/** A server that was killed is away for so long; its clients go to the other one. */
const AWAY_MS = 1_000;
const options = { skip: whyNoCluster() ?? missingService(), timeout: 300_000 };

test('two servers: parts of one upload go to both, one is killed, and every file is right', options, async (t) => {
  const seaweed = await findService();
  const settings = {
    CRYOLIFT_DATABASE_URL: await makePostgresUrl(t),
    ...seaweed.settings('two-servers'),
  };
  const servers = await Promise.all([startServer(settings), startServer(settings)]);
  t.after(() => Promise.all(servers.map((server) => server.discard())));
  /** Each call goes to the next server; one that a server did not answer goes to the other. */
  let turn = 0;
  const call: Call = async (method, path, extra) => {
    for (;;) {
      const server = servers[turn++ % servers.length] as (typeof servers)[number];
      const answer = await callAs(server, { sub: 'ada' })(method, path, extra).catch(() => null);
      if (answer && answer.status < 500) return answer;
      await sleep(50);
    }
  };

  async function upload(nr: number): Promise<{ bytes: Buffer; file: FileRecord }> {
    const bytes = makeMrc((PART_COUNT - 1) * PART_BYTES + 1500);
    const opened = await call('POST', '/uploads/init', {
      json: initRequest({ filename: `${nr}.mrc`, size: bytes.length, part_size: PART_BYTES }),
    });
    const record = opened.json<UploadRecord>();
    await Promise.all(shuffle(Array.from({ length: PART_COUNT }, (_, idx) => idx)).map((idx) => sendPart(record, idx)));
    for (;;) {
      const answer = await call('POST', `/uploads/${record.upload_id}/complete`, {
        json: { sha256: sha256Hex(bytes) },
      });
      if (answer.status === 200) return { bytes, file: answer.json<FileRecord>() };
      // What a server had not recorded before it was killed is sent again.
      if (answer.status === 409) await resend(record, answer);
      else assert.equal(answer.status, 202, answer.body.toString());
      await sleep(50);
    }

    async function sendPart(record: UploadRecord, idx: number): Promise<void> {
      const answer = await putBody(call, record, idx, cutPart(bytes, record, idx));
      assert.ok(answer.status === 201 || answer.status === 200, answer.body.toString());
    }

    async function resend(record: UploadRecord, answer: Answer): Promise<void> {
      const { details } = answer.json<{ details: { missing_parts: [number, number][] } }>();
      for (const [first, last] of details.missing_parts)
        for (let idx = first; idx <= last; idx++) await sendPart(record, idx);
    }
  }

  const uploads = Promise.all(Array.from({ length: FILES }, (_, nr) => upload(nr)));
  for (const server of [...servers, ...servers]) {
    await sleep(AWAY_MS);
    await server.kill9();
    await sleep(AWAY_MS);
    await server.restart();
  }
  for (const { bytes, file } of await uploads) {
    assert.equal(file.sha256, sha256Hex(bytes));
    for (const server of servers) {
      const content = await callAs(server, { sub: 'ada' })('GET', `/files/${file.file_id}/content`);
      assert.equal(sha256Hex(content.body), sha256Hex(bytes), `${file.filename} at ${server.url}`);
    }
  }
});
