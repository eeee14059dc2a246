/** One refresh token for all processes of a user: none of them spends it twice, and a signal does not lose it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SLOWLY, SMALL_PARTS, startAll } from './home.ts';

const TIMEOUT_MS = 180_000;
const LIFE_SECONDS = 3;
const LIVES = { access: LIFE_SECONDS };
const MIB = 1024 * 1024;
/** At the rate of `SLOWLY` more than two lives of a token. */
const SIZE_BYTES = 8 * MIB;

test('processes: two processes at once spend no refresh token twice', { timeout: TIMEOUT_MS }, async (context) => {
  const { home, provider } = await startAll(context, { lives: LIVES }, SMALL_PARTS);
  await home.login();
  const uploads = await Promise.all(
    ['a.mrc', 'b.mrc', 'c.mrc'].map((name) => home.run(['upload', ...SLOWLY, home.makeFile(name, SIZE_BYTES)])),
  );
  assert.deepEqual(
    uploads.map(({ code, stderr }) => (code === 0 ? 'done' : stderr)),
    ['done', 'done', 'done'],
  );
  assert.deepEqual([provider.counts.refused, provider.counts.revoked], [{}, 0]);
  assert.ok((provider.counts.granted.refresh_token ?? 0) >= 2, JSON.stringify(provider.counts));
});

test('processes: SIGTERM waits until new tokens are stored', { timeout: TIMEOUT_MS }, async (context) => {
  const { home, provider } = await startAll(context, { lives: LIVES }, SMALL_PARTS);
  await home.login();
  const path = home.makeFile('a.mrc', SIZE_BYTES);
  const running = home.begin(['upload', ...SLOWLY, path]);
  const old = home.tokens.refreshToken;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  provider.beforeAnswer = async () => {
    running.child.kill('SIGTERM');
    // Longer than the command takes to end otherwise.
    await sleep(1_500);
    resolve();
  };
  await ended;
  provider.beforeAnswer = async () => {};
  assert.equal((await running.ended).code, 130);
  assert.notEqual(home.tokens.refreshToken, old);
  await sleep(LIFE_SECONDS * 1000);
  const resumed = await home.run(['upload', path]);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(provider.counts.refused, {});
});
