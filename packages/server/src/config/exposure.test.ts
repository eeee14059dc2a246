import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from './config.ts';
import { ED_PEM, names, read, SECRET } from './test-settings.ts';

test('exposure: a server that others reach needs a key, and TLS or a proxy that ends it', () => {
  const keys = [
    { CRYOLIFT_JWT_SECRET: SECRET },
    { CRYOLIFT_JWT_PUBLIC_KEY: ED_PEM },
    { CRYOLIFT_JWKS_URL: 'https://id.example.org' },
  ];
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'up.example.org', '127.0.0.1.example.org', '127.1']) {
    const env = { CRYOLIFT_HOST: host };
    assert.throws(() => readConfig(env), names('CRYOLIFT_HOST'), host);
    assert.throws(() => readConfig({ ...env, CRYOLIFT_TRUST_PROXY: 'true' }), names('CRYOLIFT_HOST'), host);
    for (const key of keys) {
      assert.throws(() => readConfig({ ...env, ...key }), names('CRYOLIFT_HOST'), host);
      assert.equal(readConfig({ ...env, ...key, CRYOLIFT_TRUST_PROXY: 'true' }).host, host);
    }
  }
  for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost']) assert.equal(read('HOST', host).host, host);
});
