/** How a server proves that it has the secret of its tokens, and to whom it does not. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { computeProof } from '@cryolift/protocol/proof';
import { callWith } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

const SECRET = 'a secret of this test: 32 bytes or more';
const server = await startServer({ CRYOLIFT_JWT_SECRET: SECRET });
after(() => server.discard());
const port = Number(new URL(server.url).port);
const ask = callWith(server, {});
const newChallenge = () => randomBytes(32).toString('hex');

test('proof: a challenge is answered with the proof for the port of this server, and each with another one', async () => {
  const proofs = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const challenge = newChallenge();
    const { status, headers } = await ask('GET', '/healthz', { headers: { 'cryolift-challenge': challenge } });
    assert.equal(status, 200);
    assert.equal(headers['cryolift-proof'], await computeProof(SECRET, challenge, port));
    proofs.add(headers['cryolift-proof'] ?? '');
  }
  assert.equal(proofs.size, 3);
});

test('proof: what is not a challenge gets none', async () => {
  const wrong = [
    '',
    'x',
    'eyJhbGciOiJIUzI1NiJ9.e30',
    newChallenge().toUpperCase(),
    newChallenge().slice(1),
    `${newChallenge()}0`,
  ];
  for (const challenge of wrong) {
    const { status, headers } = await ask('GET', '/healthz', { headers: { 'cryolift-challenge': challenge } });
    assert.equal(status, 200);
    assert.equal(headers['cryolift-proof'], undefined, challenge);
  }
  assert.equal((await ask('GET', '/healthz')).headers['cryolift-proof'], undefined);
});

test('proof: a server without a secret has none', async () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  const own = await startServer({ CRYOLIFT_JWT_SECRET: '', CRYOLIFT_JWT_PUBLIC_KEY: pem });
  const headers = { 'cryolift-challenge': newChallenge() };
  assert.equal((await callWith(own, {})('GET', '/healthz', { headers })).headers['cryolift-proof'], undefined);
  await own.discard();
});
