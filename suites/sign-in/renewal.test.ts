/** Tokens are renewed while an upload runs that is longer than they live. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../contract/upload.ts';
import { resumedBytes, SLOWLY, SMALL_PARTS, startAll } from './home.ts';

const TIMEOUT_MS = 180_000;
const LIFE_SECONDS = 2;
const LIVES = { access: LIFE_SECONDS };
const MIB = 1024 * 1024;
/** At the rate of `SLOWLY` more than three lives of a token. */
const SIZE_BYTES = 7 * MIB;

test('renewal: an upload of more than three token lives goes through, and is killed and resumed', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context, { lives: LIVES }, SMALL_PARTS);
  await home.login();
  const startedMs = performance.now();
  const whole = await home.run(['upload', ...SLOWLY, home.makeFile('whole.mrc', SIZE_BYTES)]);
  assert.equal(whole.code, 0, whole.stderr);
  assert.ok(performance.now() - startedMs > 3 * LIFE_SECONDS * 1000, 'the upload was too short');
  assert.ok((provider.counts.granted.refresh_token ?? 0) >= 3, JSON.stringify(provider.counts));

  const path = home.makeFile('killed.mrc', SIZE_BYTES);
  const renewed = () => provider.counts.granted.refresh_token ?? 0;
  const before = renewed();
  const first = home.begin(['upload', '--json', ...SLOWLY, path]);
  await eventually(
    async () => renewed(),
    (count) => count >= before + 2,
  );
  // The answer has been stored: two renewals are more than a life apart from their requests.
  const known = home.tokens.accessToken;
  await eventually(
    async () => home.tokens.accessToken,
    (token) => token !== known,
  );
  first.child.kill('SIGKILL');
  await first.ended;
  await sleep(LIFE_SECONDS * 1000);
  const second = await home.run(['upload', '--json', path]);
  assert.equal(second.code, 0, second.stderr + second.stdout);
  assert.ok(resumedBytes(second.stdout) > 0, second.stdout);
  assert.deepEqual(provider.counts.refused, {});
});
