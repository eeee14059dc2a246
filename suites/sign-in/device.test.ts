/** `cryolift login --device`, `whoami` and `logout` with a real identity provider, which is polled every 5 s. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DISPLAY, startAll } from './home.ts';

const TIMEOUT_MS = 120_000;

test('device: signs in, then whoami, ls and logout, which ends the grant', { timeout: TIMEOUT_MS }, async (context) => {
  const { home, provider, server } = await startAll(context);
  const before = await home.run(['ls']);
  assert.equal(before.code, 3);
  assert.match(before.stderr, /a token is needed\n.*cryolift login/);

  // Without a display and over SSH, --device is the default.
  const running = home.begin(['login'], { ...DISPLAY, SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' });
  const [, page, code] = await running.printed(/\n {2}(http:\S+\/device)\n {2}(\w{4}-\w{4})\n/);
  await provider.approveDevice(`${page}?user_code=${code}`, 'ada');
  const login = await running.ended;
  assert.equal(login.code, 0, login.stderr);
  assert.match(login.stdout, /signed in to http:\S+ as Ada Example \(ada\)/);
  const [file = '', ...others] = home.signInFiles;
  assert.deepEqual(others, []);
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
  assert.deepEqual([modeOf(join(home.signInFolder, file)), modeOf(home.signInFolder)], ['600', '700']);

  const whoami = await home.run(['whoami', '--json']);
  const known = JSON.parse(whoami.stdout);
  const { expires_at, ...rest } = known;
  assert.deepEqual(rest, {
    server: server.url,
    sub: 'ada',
    name: 'Ada Example',
    signed_in: true,
    issuer: provider.issuer,
    scope: 'uploads:write files:read files:delete files:locate',
    renewed: true,
    renewed_until: null,
  });
  assert.ok(Math.abs(Date.parse(expires_at) - Date.now() - 3_600_000) < 60_000, expires_at);
  assert.match((await home.run(['whoami'])).stdout, /you are +Ada Example \(ada\)/);
  assert.equal((await home.run(['ls'])).code, 0);
  // A token that is given is used instead.
  assert.equal((await home.run(['ls', '--token', 'none'])).code, 3);

  const logout = await home.run(['logout', '--json']);
  assert.deepEqual([logout.code, JSON.parse(logout.stdout).revoked], [0, 'yes']);
  assert.equal(provider.counts.revoked, 1);
  assert.deepEqual(home.signInFiles, []);
  assert.equal((await home.run(['ls'])).code, 3);
  const again = await home.run(['logout']);
  assert.equal(again.code, 3);
  assert.match(again.stderr, /nobody is signed in/);
});

test('device: a person who refuses it', { timeout: TIMEOUT_MS }, async (context) => {
  const { home, provider } = await startAll(context);
  const device = home.begin(['login', '--device']);
  const [url] = await device.printed(/http\S+user_code=[\w-]+/);
  await provider.refuseDevice(url);
  const { code, stderr } = await device.ended;
  assert.equal(code, 1);
  assert.match(stderr, /the sign-in was refused at the identity provider/);
});

test('device: a code that nobody enters, and a provider or a server without it, are said', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context, { lives: { device: 1 } });
  const late = await home.run(['login', '--device']);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /nobody entered the code in time/);
  await provider.disconnect();
  const absent = await home.run(['login', '--device']);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /ECONNREFUSED/);
  await provider.reconnect();
});
