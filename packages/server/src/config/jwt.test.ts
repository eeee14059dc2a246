import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { names, printPublicKey, read } from './test-settings.ts';

test('jwt: a public key must be able to verify tokens', () => {
  const keys = [
    '-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n',
    printPublicKey(generateKeyPairSync('ec', { namedCurve: 'secp384r1' })),
  ];
  for (const key of keys) assert.throws(() => read('JWT_PUBLIC_KEY', key), names('CRYOLIFT_JWT_PUBLIC_KEY'), key);
});
