import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDue, isGood, newGrant, renewAtMs, renewGrant } from './grant.ts';

const CONFIG = { issuer: 'https://id.example.org', client_id: 'cryolift', scope: 'openid', audience: null };
const TOKENS = { accessToken: 'a1', refreshToken: 'r1', lifeSeconds: 300, name: 'Ada' };

test('grant: its access token is renewed after two thirds of its life, and is good until its end', () => {
  const grant = newGrant(CONFIG, TOKENS, 1_000);
  assert.equal(renewAtMs(grant), 201_000);
  assert.deepEqual([isDue(grant, 200_999), isDue(grant, 201_000)], [false, true]);
  assert.deepEqual([isGood(grant, 300_999), isGood(grant, 301_000)], [true, false]);
});

test('grant: after the clock was set to an earlier time, its access token is renewed', () => {
  assert.equal(isDue(newGrant(CONFIG, TOKENS, 1_000_000), 999_999), true);
});

test('grant: a token that has ended when it comes is renewed after a second, and not at once', () => {
  const grant = newGrant(CONFIG, { ...TOKENS, lifeSeconds: 0 }, 1_000);
  assert.deepEqual([isGood(grant, 1_000), isDue(grant, 1_999), isDue(grant, 2_000)], [false, false, true]);
});

test('grant: without a refresh token, or without an end, nothing is renewed', () => {
  for (const change of [{ refreshToken: null }, { lifeSeconds: null }]) {
    const grant = newGrant(CONFIG, { ...TOKENS, ...change }, 1_000);
    assert.deepEqual([isDue(grant, 9e12), isDue(grant, 0)], [false, false]);
  }
  assert.equal(isGood(newGrant(CONFIG, { ...TOKENS, lifeSeconds: null }, 0), 9e12), true);
});

test('grant: a renewal keeps who it is, and the refresh token and the name that the provider does not send again', () => {
  const grant = newGrant(CONFIG, TOKENS, 1_000);
  const kept = renewGrant(grant, { accessToken: 'a2', refreshToken: null, lifeSeconds: 60, name: null }, 5_000);
  assert.deepEqual(kept, { ...grant, accessToken: 'a2', generation: 1, receivedAtMs: 5_000, expiresAtMs: 65_000 });
  const rotated = renewGrant(kept, { ...TOKENS, refreshToken: 'r2' }, 6_000);
  assert.deepEqual([rotated.refreshToken, rotated.generation, rotated.id], ['r2', 2, grant.id]);
});

test('grant: every sign-in has its own id and secret', () => {
  const [one, other] = [newGrant(CONFIG, TOKENS), newGrant(CONFIG, TOKENS)];
  assert.notEqual(one.id, other.id);
  assert.notEqual(one.secret, other.secret);
});
