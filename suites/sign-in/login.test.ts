/** `cryolift login` by the browser of this machine, and `logout`, with a real identity provider. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DISPLAY, startAll } from './home.ts';

const TIMEOUT_MS = 120_000;

test('login: by the browser of this machine; an answer with a wrong state is refused and does not end it', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context);
  const running = home.begin(['login'], DISPLAY);
  const [, url = ''] = await running.printed(/open this URL:\n {2}(\S+)\n/);
  const answer = new URL(await provider.signIn(url, 'bob'));
  const wrong = new URL(answer);
  wrong.searchParams.set('state', 'another');
  const refused = await fetch(wrong);
  assert.deepEqual([refused.status, /does not belong to the sign-in/.test(await refused.text())], [400, true]);
  await running.printed(/wrong state/);
  assert.equal((await fetch(new URL('/', answer))).status, 404);
  const page = await fetch(answer);
  assert.match(await page.text(), /You are signed in/);
  const { code, stdout } = await running.ended;
  assert.equal(code, 0);
  assert.match(stdout, /as Bob Example \(bob\)/);
  assert.deepEqual(provider.counts.granted, { authorization_code: 1 });
});

test('login: an answer of another issuer, and errors of the provider, end it in words', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context);
  const answers: [(url: string) => Promise<string>, RegExp][] = [
    [
      async (url) => {
        const answer = new URL(await provider.signIn(url));
        answer.searchParams.set('iss', 'https://other.example.org');
        return answer.href;
      },
      /"iss"|issuer/,
    ],
    [(url) => provider.refuse(url), /the sign-in was refused at the identity provider/],
    [
      async (url) => {
        const answer = new URL(await provider.signIn(url));
        answer.searchParams.set('code', 'wrong');
        return answer.href;
      },
      /invalid_grant/,
    ],
  ];
  for (const [answerFor, words] of answers) {
    const running = home.begin(['login'], DISPLAY);
    const [, url = ''] = await running.printed(/open this URL:\n {2}(\S+)\n/);
    assert.match(await (await fetch(await answerFor(url))).text(), /The sign-in failed/);
    const { code, stderr } = await running.ended;
    assert.notEqual(code, 0);
    assert.match(stderr, words);
    assert.match(stderr, /^cryolift: .*\n {2}\S/m);
  }
});

test('login: without a device endpoint, an end point for revocation, or a sign-in of the server', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context, { deviceFlow: false, revocation: false });
  const device = await home.run(['login', '--device']);
  assert.deepEqual([device.code, /has no sign-in by device/.test(device.stderr)], [1, true], device.stderr);
  const running = home.begin(['login']);
  const [, url = ''] = await running.printed(/open this URL:\n {2}(\S+)\n/);
  await fetch(await provider.signIn(url));
  assert.equal((await running.ended).code, 0);
  const logout = await home.run(['logout']);
  assert.deepEqual([logout.code, /no way to end it/.test(logout.stdout)], [0, true], logout.stdout);

  const { home: other } = await startAll(context, {}, { CRYOLIFT_OIDC_CLIENT_ID: '' });
  const nowhere = await other.run(['login', '--json']);
  assert.deepEqual([nowhere.code, JSON.parse(nowhere.stdout).code], [1, 'no_sign_in']);
});

test('logout: says that the provider could not be told, and deletes the tokens', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { home, provider } = await startAll(context);
  await home.login('ada', ['--no-keyring']);
  const [name = ''] = home.signInFiles;
  assert.match(readFileSync(join(home.signInFolder, name), 'utf8'), /"refreshToken"/);
  await provider.disconnect();
  const { code, stdout } = await home.run(['logout']);
  assert.equal(code, 1);
  assert.match(stdout, /could not be told, so that it may still be valid there: .*ECONNREFUSED/);
  assert.deepEqual(home.signInFiles, []);
  await provider.reconnect();
});

test('login: a token that the server does not accept is not kept, and the message says which setting to look at', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const refusals: [Record<string, string>, RegExp][] = [
    [
      { CRYOLIFT_JWT_AUDIENCE: 'https://other.example.org/' },
      /does not accept the token[^\n]*\n.*CRYOLIFT_JWT_AUDIENCE/,
    ],
    [{ CRYOLIFT_OIDC_SCOPE: 'openid files:read' }, /does not accept the token[^\n]*\n.*uploads:write/],
  ];
  for (const [settings, words] of refusals) {
    const { home, provider } = await startAll(context, {}, settings);
    const running = home.begin(['login'], DISPLAY);
    const [, url = ''] = await running.printed(/open this URL:\n {2}(\S+)\n/);
    await fetch(await provider.signIn(url));
    const { code, stderr } = await running.ended;
    assert.equal(code, 1);
    assert.match(stderr, words);
    assert.equal((await home.run(['ls'])).code, 3);
  }
});
