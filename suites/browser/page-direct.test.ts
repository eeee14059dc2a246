/** The page sends parts to the bucket, where the bucket's CORS rules permit it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setCorsRule } from '../../packages/server/src/storage/s3/test-cors.ts';
import { listFiles } from '../contract/upload.ts';
import { settingsFor, withService } from '../engines/direct.ts';
import { findService } from '../engines/shared-service.ts';
import { drop, PageUnderTest, uploadRow, writeMrc } from './page-under-test.ts';

/** 48 MiB. */
const SECTIONS = 6;

async function start(t: TestContext, prefix: string): Promise<PageUnderTest> {
  const seaweed = await findService();
  const under = await PageUnderTest.start(await settingsFor(prefix), [seaweed.endpoint]);
  t.after(() => under.discard());
  return under;
}

/** Drops a file, and waits until it is published. @returns the bytes of parts that came through the server. */
async function upload(under: PageUnderTest): Promise<number> {
  const owner = under.newOwner();
  const path = writeMrc(under.folder, 'movie.mrc', SECTIONS);
  const page = await under.open(owner);
  await drop(page, [path]);
  await uploadRow(page, 'movie.mrc', 'done').waitFor();
  const [file] = await listFiles(owner.call);
  const headers = { authorization: `Bearer ${owner.token}` };
  const content = await fetch(`${under.server.url}/files/${file?.file_id}/content`, { headers });
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(sha256(new Uint8Array(await content.arrayBuffer())), sha256(readFileSync(path)));
  const metrics = await (await fetch(`${under.server.url}/metrics`)).text();
  return Number(/^cryolift_received_bytes_total (\d+)$/m.exec(metrics)?.[1]);
}

test('page: parts go to the bucket', withService, async (t) => {
  const under = await start(t, 'page');
  const rule = {
    AllowedOrigins: [under.server.url],
    AllowedMethods: ['PUT'],
    AllowedHeaders: ['x-amz-checksum-sha256'],
    ExposeHeaders: ['ETag'],
  };
  await setCorsRule(await findService(), rule);
  assert.equal(await upload(under), 0);
});

test('page: without a CORS rule for it, parts go through the server', withService, async (t) => {
  const under = await start(t, 'page-refused');
  const rule = { AllowedOrigins: ['https://elsewhere.example'], AllowedMethods: ['PUT'], ExposeHeaders: ['ETag'] };
  await setCorsRule(await findService(), rule);
  assert.ok((await upload(under)) >= SECTIONS * 8 * 1024 * 1024);
});
