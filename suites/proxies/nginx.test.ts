/** Behind nginx, with deploy/nginx/cryolift.conf. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../contract/upload.ts';
import { testBehind } from './behind.ts';
import { bring, NGINX } from './engine.ts';
import { Site } from './site.ts';

testBehind(NGINX);

test('nginx: signatures are not written down', { skip: bring(NGINX) ?? false }, async (t) => {
  const site = await Site.start(NGINX);
  t.after(() => site.discard());
  const answer = await fetch(`${site.url}/files/1/content?cl_sig=secret`);
  assert.equal(answer.status, 403);
  const isThere = (text: string) => text.includes('"GET /files/1/content" 403');
  const log = await eventually(() => readFile(join(site.folder, 'cryolift.log'), 'utf8'), isThere);
  assert.ok(!log.includes('secret'), log);
});

test('nginx: requests without TLS are redirected, with method and body', { skip: bring(NGINX) ?? false }, async (t) => {
  const site = await Site.start(NGINX);
  t.after(() => site.discard());
  const answer = await fetch(`${site.proxy.httpUrl}/uploads/init?x=1`, { method: 'POST', redirect: 'manual' });
  assert.equal(answer.status, 308);
  assert.equal(answer.headers.get('location'), 'https://localhost/uploads/init?x=1');
});
