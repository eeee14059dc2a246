/** A watch whose sign-in ends says so, keeps waiting, and goes on when somebody signs in again. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../contract/upload.ts';
import { startAll } from './home.ts';

test('watch: renews its token, waits after a logout, and goes on after a login', {
  timeout: 180_000,
}, async (context) => {
  const { home, provider } = await startAll(context, { lives: { access: 2 } });
  await home.login();
  mkdirSync(home.path('in'));
  const running = home.begin(['watch', '--json', '--settle', '1s', home.path('in')]);
  home.makeFile('in/first.mrc', 100_000);
  await running.printed(/"event":"done"[^\n]*first\.mrc|first\.mrc[^\n]*"sha256"/);
  await eventually(
    async () => provider.counts.granted.refresh_token ?? 0,
    (count) => count >= 1,
  );
  await provider.revoke(home.tokens.refreshToken);
  home.makeFile('in/second.mrc', 100_000);
  await running.printed(/"event":"waiting","message":"the sign-in has ended/);
  assert.equal((await home.run(['logout'])).code, 0);
  await home.login('bob');
  await running.printed(/"event":"waiting","message":"bob has signed in, and this command works for ada"/);
  await home.login();
  await running.printed(/second\.mrc[^\n]*"sha256"/);
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 130);
});

test('watch: settings without a token use the sign-in of the user, also for a service of that user', {
  timeout: 180_000,
}, async (context) => {
  const { home, server } = await startAll(context);
  mkdirSync(home.path('in'));
  const settings = home.path('cryolift.toml');
  writeFileSync(settings, `server = '${server.url}'\n[[watch]]\nfolder = '${home.path('in')}'\nsettle = '1s'\n`);
  // Systemd is not there: a service that is allowed is written, and not started.
  writeFileSync(home.path('systemctl'), '#!/bin/sh\nexit 1\n');
  chmodSync(home.path('systemctl'), 0o755);
  const install = async () =>
    await home.run(['watch', 'install', '--config', settings], { PATH: `${home.folder}:${process.env.PATH}` });

  const refused = await install();
  assert.match(refused.stderr, /names no token_file or link_file/);
  await home.login();
  assert.doesNotMatch((await install()).stderr, /token_file/);
  home.makeFile('in/first.mrc', 100_000);
  const { code, stdout, stderr } = await home.run(['watch', '--json', '--once', '--config', settings]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /first\.mrc/);
});
