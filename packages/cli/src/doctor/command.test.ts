/** `cryolift doctor` as a process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer } from 'node:tls';
import { SCOPES } from '@cryolift/protocol/scopes';
import { signToken } from '../connection/own-token.ts';
import { parseLines, TestBench } from '../testing/test-process.ts';
import type { Finding } from './finding.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

test('doctor: without problems it prints a list without colours and exits with 0', async () => {
  const { code, stdout } = await bench.run(['doctor']);
  assert.equal(code, 0, stdout);
  for (const line of stdout.trimEnd().split('\n')) assert.match(line, /^✓ [a-z ]{12} {2}\S/);
});

test('doctor: --json prints a line for each check', async () => {
  const { code, stdout, stderr } = await bench.run(['doctor', '--json', '--slow', '1s', '--room', '1GiB']);
  assert.equal(code, 0, stdout);
  assert.equal(stderr, '');
  const findings = parseLines<Finding>(stdout);
  assert.equal(findings.length, 17);
  for (const finding of findings) assert.deepEqual(Object.keys(finding), ['check', 'outcome', 'found', 'mend']);
});

test('doctor: a problem with the token exits with 3', async () => {
  const token = await signToken('y'.repeat(32), 'ada', SCOPES.join(' '), 3600);
  const refused = await bench.run(['doctor', '--token', token]);
  assert.equal(refused.code, 3);
  assert.match(refused.stdout, /^✗ authorised .*\n {16}→ /m);
  assert.equal((await bench.run(['doctor'], { CRYOLIFT_DATA_DIR: bench.path('none') })).code, 3);
});

test('doctor: any other problem exits with 1', async () => {
  const { code, stdout } = await bench.run(['doctor', '--room', '15TiB']);
  assert.equal(code, 1);
  assert.match(stdout, /^✗ room /m);
});

test('doctor: Ctrl-C exits with 130 and leaves no upload on the server', async () => {
  const { child, ended } = bench.begin(['doctor', '--slow', '60s']);
  for await (const text of child.stdout ?? []) if (String(text).includes('speed')) break;
  assert.equal((await readdir(bench.path('data/staging'))).length, 1);
  child.kill('SIGINT');
  assert.equal((await ended).code, 130);
  assert.deepEqual(await readdir(bench.path('data/staging')), []);
});

test('certificates', async (t) => {
  const [cert, key] = [bench.path('cert.pem'), bench.path('key.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ]);
  assert.equal(made.status, 0, 'openssl makes certificates');
  const tls = createServer({ cert: await readFile(cert), key: await readFile(key) }, (near) => {
    const far = connect(Number(new URL(bench.url).port), '127.0.0.1');
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  }).listen(0, '127.0.0.1');
  tls.on('tlsClientError', () => {});
  await once(tls, 'listening');
  t.after(() => void tls.close());
  const server = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;

  const untrusted = await bench.run(['doctor', '--server', server]);
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stdout, /^✗ certificate .*SELF_SIGNED.*\n.*NODE_EXTRA_CA_CERTS/m);
  const trusted = await bench.run(['doctor'], { CRYOLIFT_SERVER: server, NODE_EXTRA_CA_CERTS: cert });
  assert.equal(trusted.code, 0, trusted.stdout);
  assert.match(trusted.stdout, /^! certificate .*1 days left.*\n.*Renew/m);
  assert.match(trusted.stdout, /^✓ speed /m);
  const plain = await bench.run(['doctor', '--server', bench.url.replace('http:', 'https:')]);
  assert.equal(plain.code, 1);
  assert.match(plain.stdout, /^✗ certificate .*\n.*use http:\/\//m);
});
