import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '@cryolift/client';
import type { Identified, Subject } from './subject.ts';
import { TokenKeeper } from './token-keeper.ts';

function subject(owner: string): Subject {
  return {
    key: owner,
    owner,
    isLink: false,
    name: null,
    note: null,
    expiresAtMs: null,
    isAdmin: false,
    mayUpload: true,
  };
}

/** The tests in Chromium use grants, with a real identity provider. */
const NO_GRANTS = {
  renewerOf: () => assert.fail('no grant expected'),
  signOut: () => assert.fail('no grant expected'),
};

/** Tokens are `owner:number`. A token is refused while it is in `refused`. */
function newKeeper() {
  const refused = new Set<string>();
  const asked: string[] = [];
  const keeper = new TokenKeeper(async (token): Promise<Identified> => {
    asked.push(token);
    if (refused.has(token)) return { kind: 'refused', message: `${token} is refused` };
    return { kind: 'accepted', subject: subject(token.split(':')[0] as string) };
  }, NO_GRANTS);
  return { keeper, refused, asked };
}

test('token keeper: a pasted token or link signs in', async () => {
  for (const text of [' ada:1 ', 'open http://here/#token=ada:1', 'http://here/?x=1&token=ada:1']) {
    const { keeper, asked } = newKeeper();
    assert.equal(await keeper.signIn(text), null);
    assert.deepEqual(asked, ['ada:1'], text);
    assert.deepEqual(keeper.state.value, {
      kind: 'signed-in',
      subject: subject('ada'),
      expiresAtMs: null,
      grant: null,
    });
  }
});

test('token keeper: a refused token signs nobody in', async () => {
  const { keeper, refused } = newKeeper();
  refused.add('ada:1');
  assert.equal(await keeper.signIn('ada:1'), 'ada:1 is refused');
  assert.equal(keeper.state.value.kind, 'signed-out');
});

test('token keeper: an unreachable server is reported in words', async () => {
  const keeper = new TokenKeeper(() => Promise.reject(new ConnectionError('refused')), NO_GRANTS);
  await assert.rejects(keeper.signIn('ada:1'), /The server does not answer/);
});

test('token keeper: a sign-out during the check signs nobody in', async () => {
  const { promise, resolve } = Promise.withResolvers<Identified>();
  const keeper = new TokenKeeper(() => promise, NO_GRANTS);
  const signingIn = keeper.signIn('ada:1');
  keeper.signOut();
  resolve({ kind: 'accepted', subject: subject('ada') });
  await signingIn;
  assert.equal(keeper.state.value.kind, 'signed-out');
});

test('token keeper: tokens of one subject are not given to another', async () => {
  const { keeper } = newKeeper();
  await keeper.signIn('ada:1');
  const getToken = keeper.tokensOf(subject('ada'));
  assert.equal(await getToken(false), 'ada:1');
  await keeper.signIn('bob:1');
  const waiting = getToken(false);
  await keeper.signIn('ada:2');
  assert.equal(await waiting, 'ada:2');
});

test('token keeper: a refused token expires, and calls wait for a new one', async () => {
  const { keeper, refused } = newKeeper();
  await keeper.signIn('ada:1');
  refused.add('ada:1');
  const waiting = keeper.tokensOf(subject('ada'))(true);
  while (keeper.state.value.kind !== 'expired') await keeper.state.next();
  assert.deepEqual(keeper.subject, subject('ada'));
  await keeper.signIn('ada:2');
  assert.equal(await waiting, 'ada:2');
});

test('token keeper: calls that report the same token ask the server once', async () => {
  const { keeper, asked } = newKeeper();
  await keeper.signIn('ada:1');
  const getToken = keeper.tokensOf(subject('ada'));
  assert.deepEqual(await Promise.all([getToken(true), getToken(true), getToken(true)]), ['ada:1', 'ada:1', 'ada:1']);
  assert.deepEqual(asked, ['ada:1', 'ada:1']);
});
