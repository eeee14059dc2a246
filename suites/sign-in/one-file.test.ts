/** The one-file program signs in and renews its tokens where nothing else can be run: PATH names an empty folder. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildProgram } from '../one-file/build.ts';
import { Home, startAll } from './home.ts';

test('one file: login, renewal, logout', { timeout: 240_000 }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-one-file-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const { name } = buildProgram(`linux-${process.arch}`, folder);
  const { provider, server } = await startAll(context, { lives: { access: 2 } });
  const home = new Home(server.url, provider, [join(folder, name)]);
  context.after(() => home.remove());
  mkdirSync(home.path('empty'));
  const env = { PATH: home.path('empty') };
  await home.login('ada', [], env);
  await sleep(2_000);
  const upload = await home.run(['upload', home.makeFile('a.mrc', 100_000)], env);
  assert.equal(upload.code, 0, upload.stderr);
  assert.ok((provider.counts.granted.refresh_token ?? 0) >= 1);
  assert.match((await home.run(['whoami'], env)).stdout, /Ada Example/);
  assert.equal((await home.run(['logout'], env)).code, 0);
});
