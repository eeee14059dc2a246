import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../db/test-rows.ts';
import { readConfig } from './config.ts';
import { ED_PEM, names, read } from './test-settings.ts';

test('tls: certificate and key are read from their files, and are set together', async (t) => {
  const folder = await makeFolder(t);
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, TEST_CERTIFICATE);
  writeFileSync(key, TEST_KEY);
  const both = { CRYOLIFT_TLS_CERT: cert, CRYOLIFT_TLS_KEY: key };
  assert.deepEqual(readConfig(both).tls, { certPath: cert, keyPath: key, cert: TEST_CERTIFICATE, key: TEST_KEY });
  for (const name of Object.keys(both)) assert.throws(() => readConfig({ ...both, [name]: '/nowhere' }), names(name));
  assert.throws(() => readConfig({ ...both, CRYOLIFT_TLS_KEY: cert }), names('CRYOLIFT_TLS_CERT'));
  assert.throws(() => read('TLS_CERT', cert), names('CRYOLIFT_TLS_KEY'));
  assert.throws(() => read('TLS_KEY', key), names('CRYOLIFT_TLS_CERT'));
  writeFileSync(key, ED_PEM);
  assert.equal(read('JWT_PUBLIC_KEY', key).jwt.publicKey, ED_PEM);
});

// Self-signed, only for this test; valid until 2126.
const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUYgmzjr60YWUXx01WoCajSIjHx0AwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzAwNTQxNVoYDzIxMjYxMDMw
MDA1NDE1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARDJPKVQvkBdlC4J4pre87ZhtjsGkSDgobnRrTcVppg3FhwOfNvwtgz
US7d3HUfUu05FbNqQNqkw8k/XlQkB5qso1MwUTAdBgNVHQ4EFgQURlR2JwILfabe
+AK2Aqwp8WH6Z5owHwYDVR0jBBgwFoAURlR2JwILfabe+AK2Aqwp8WH6Z5owDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAPQIk8JQ9FW4LrFYcSObhr
usmxk6vW87FqWM3Ng8A4dQIgEI8ECVTOaJBAVaI3lMHB+0tSx8FuLckjUtCw56jx
AEU=
-----END CERTIFICATE-----
`;
const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFpGADJL3klBX0PdX
aVUtw4gVNYkiLRF+8GOnbJOszQChRANCAARDJPKVQvkBdlC4J4pre87ZhtjsGkSD
gobnRrTcVppg3FhwOfNvwtgzUS7d3HUfUu05FbNqQNqkw8k/XlQkB5qs
-----END PRIVATE KEY-----
`;
