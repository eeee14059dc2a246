/** Uploads whose provider is away, or has ended the grant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../contract/upload.ts';
import { resumedBytes, SLOWLY, SMALL_PARTS, startAll } from './home.ts';

const TIMEOUT_MS = 180_000;
const LIFE_SECONDS = 2;
const LIVES = { access: LIFE_SECONDS };
const MIB = 1024 * 1024;
/** At the rate of `SLOWLY` many lives of a token: an upload that is interrupted does not end before. */
const SIZE_BYTES = 24 * MIB;
/** More than the two lives of one that waits. */
const WAITING_BYTES = 10 * MIB;

test('outages: while the provider is away, the token is used to its end, and then the upload waits', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context, { lives: { access: 4 } }, SMALL_PARTS);
  await home.login();
  await provider.disconnect();
  const path = home.makeFile('a.mrc', WAITING_BYTES);
  const running = home.begin(['upload', '--json', ...SLOWLY, path]);
  await running.printed(/"event":"retrying"|"event":"waiting"|ECONNREFUSED/);
  await provider.reconnect();
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 0, stderr + stdout);
});

test('outages: a grant that was revoked ends an upload with exit code 3, and it goes on after login', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context, { lives: LIVES }, SMALL_PARTS);
  await home.login();
  const path = home.makeFile('a.mrc', SIZE_BYTES);
  const running = home.begin(['upload', '--json', ...SLOWLY, path]);
  await eventually(
    async () => provider.counts.granted.refresh_token ?? 0,
    (count) => count >= 1,
  );
  await eventually(
    async () => {
      await provider.revoke(home.tokens.refreshToken);
      return provider.counts.refused.invalid_grant ?? 0;
    },
    (count) => count > 0,
  );
  const { code, stdout } = await running.ended;
  assert.equal(code, 3, stdout);
  assert.match(
    stdout,
    /"code":"signed_out","message":"the sign-in has ended: [^"]+","hint":"Sign in again: `cryolift login`."/,
  );
  await home.login();
  const resumed = await home.run(['upload', '--json', path]);
  assert.equal(resumed.code, 0, resumed.stdout);
  assert.ok(resumedBytes(resumed.stdout) > 0, resumed.stdout);
});

test('outages: killed after the provider has answered and before that is stored: exit code 3, login, resume', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context, { lives: LIVES }, SMALL_PARTS);
  await home.login();
  const path = home.makeFile('a.mrc', SIZE_BYTES);
  const running = home.begin(['upload', '--json', ...SLOWLY, path]);
  await running.printed(/"bytes":[1-9]/);
  const { promise: killed, resolve } = Promise.withResolvers<void>();
  provider.beforeAnswer = async () => {
    running.child.kill('SIGKILL');
    await running.ended;
    resolve();
  };
  await killed;
  provider.beforeAnswer = async () => {};
  await sleep(LIFE_SECONDS * 1000);
  const lost = await home.run(['upload', '--json', path]);
  assert.equal(lost.code, 3, lost.stdout);
  assert.match(lost.stdout, /"code":"signed_out"/);
  await home.login();
  const resumed = await home.run(['upload', '--json', path]);
  assert.equal(resumed.code, 0, resumed.stdout);
  assert.ok(resumedBytes(resumed.stdout) > 0, resumed.stdout);
});
