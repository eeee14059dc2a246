/** A server that is reachable only through a proxy, set by the variables of curl. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { buildHeader } from '@cryolift/mrc';
import { SCOPES } from '@cryolift/protocol/scopes';
import type { Finding } from '../doctor/finding.ts';
import { ForwardProxy } from '../testing/test-forward-proxy.ts';
import { parseLines, TestBench } from '../testing/test-process.ts';
import { findSecret, signToken } from './own-token.ts';

/** Known to the proxy only (RFC 6761 section 6.4). */
const HOST = 'lift.invalid';
const MRC = Buffer.concat([buildHeader({ nx: 1024, ny: 1024, nz: 3, mode: 0 }), Buffer.alloc(3 * 1024 * 1024, 1)]);
const LOGIN = 'ada:geheim';

let bench: TestBench;
/** TLS in front of the server. */
let front: Server;
let token: string;
let proxy: ForwardProxy;
let strict: ForwardProxy;

before(async () => {
  bench = await TestBench.start();
  token = await signToken((await findSecret({}, bench.path('data'))) ?? '', 'ada', SCOPES.join(' '), 3600);
  const [cert, key] = [bench.path('cert.pem'), bench.path('key.pem')];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  const names = ['-subj', '/CN=test', '-addext', `subjectAltName=DNS:${HOST}`];
  execFileSync('openssl', [...args, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  front = createServer({ cert: await readFile(cert), key: await readFile(key) }, (near) => {
    const far = connect(Number(new URL(bench.url).port), '127.0.0.1');
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const secure = `127.0.0.1:${(front.address() as AddressInfo).port}`;
  const known = { [HOST]: new URL(bench.url).host, [`${HOST}:443`]: secure };
  proxy = await ForwardProxy.start({ names: known });
  strict = await ForwardProxy.start({ names: known, login: LOGIN });
  await writeFile(bench.path('a.mrc'), MRC);
});

after(async () => {
  proxy.close();
  strict.close();
  front.close();
  assert.equal(await bench.stop(), 0);
});

function run(args: readonly string[], env: Readonly<Record<string, string>>) {
  return bench.run(args, { CRYOLIFT_TOKEN: token, NODE_EXTRA_CA_CERTS: bench.path('cert.pem'), ...env });
}

const WAYS: readonly (readonly [scheme: 'http' | 'https', variable: string, asked: RegExp])[] = [
  ['http', 'http_proxy', /^[A-Z]+ http:\/\/lift\.invalid\//],
  ['https', 'HTTPS_PROXY', /^CONNECT lift\.invalid:443$/],
];
for (const [scheme, variable, asked] of WAYS) {
  test(`proxy: every command goes through it to an ${scheme} server`, async () => {
    const env = { CRYOLIFT_SERVER: `${scheme}://${HOST}`, [variable]: proxy.address };
    proxy.asked.length = 0;
    await mkdir(bench.path(scheme));
    await writeFile(bench.path(`${scheme}/b.mrc`), MRC);
    const uploaded = await run(['upload', '--json', 'a.mrc'], env);
    assert.equal(uploaded.code, 0, uploaded.stderr + uploaded.stdout);
    const { file_id = '', upload_id = '' } = parseLines<Record<string, string>>(uploaded.stdout).at(-1) ?? {};
    const commands = [
      ['ls'],
      ['verify', 'a.mrc', file_id],
      ['download', file_id, '-o', `${scheme}.mrc`],
      ['events', upload_id, '--after', '0'],
      ['watch', '--once', '--settle', '1s', scheme],
      ['admin', 'sessions'],
      ['link'],
      ['rm', file_id],
    ];
    for (const command of commands) {
      const before = proxy.asked.length;
      const { code, stderr } = await run(command, env);
      assert.equal(code, 0, `${command.join(' ')}: ${stderr}`);
      assert.ok(proxy.asked.length > before, command.join(' '));
    }
    assert.deepEqual(await readFile(bench.path(`${scheme}.mrc`)), MRC);
    const doctor = await run(['doctor', '--json'], env);
    assert.equal(doctor.code, 0, doctor.stdout);
    const findings = parseLines<Finding>(doctor.stdout);
    const said = findings.find(({ check }) => check === 'proxy')?.found;
    assert.equal(said, `requests to ${scheme}://${HOST} go through http://${proxy.address} (${variable})`);
    assert.equal(findings.filter(({ check }) => check === 'certificate').length, scheme === 'https' ? 1 : 0);
    for (const line of proxy.asked) assert.match(line, asked);
  });

  test(`proxy: a login is sent to the proxy and not printed; ${scheme}`, async () => {
    const env = { CRYOLIFT_SERVER: `${scheme}://${HOST}` };
    const refused = await run(['ls'], { ...env, [variable]: `http://${strict.address}` });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /proxy http:\/\/127\.0\.0\.1:\d+ .*\(407\).*|\(407\).*proxy/);
    assert.match(refused.stderr, /requires a name and a password/);
    const doctor = await run(['doctor'], { ...env, [variable]: `http://${strict.address}` });
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, new RegExp(`✗ .*the proxy http://\\S+ refuses requests to .*407.*\\n.*${variable}=`));

    const welcome = { ...env, [variable]: `http://${LOGIN}@${strict.address}` };
    assert.equal((await run(['ls'], welcome)).code, 0);
    const { code, stdout } = await run(['doctor'], welcome);
    assert.equal(code, 0, stdout);
    assert.doesNotMatch(stdout, /geheim/);
  });
}

test('proxy: hosts in no_proxy are connected directly', async () => {
  proxy.asked.length = 0;
  const env = { http_proxy: proxy.address, no_proxy: '10.0.0.0/8, 127.0.0.0/8' };
  assert.equal((await run(['ls'], env)).code, 0);
  const { code, stdout } = await run(['doctor', '--json'], env);
  assert.equal(code, 0, stdout);
  assert.ok(!parseLines<Finding>(stdout).some(({ check }) => check === 'proxy'));
  assert.deepEqual(proxy.asked, []);
});

test('proxy: an unreachable proxy is named in the error', async () => {
  const env = { CRYOLIFT_SERVER: `http://${HOST}`, all_proxy: 'http://ada:geheim@127.0.0.1:9' };
  const listed = await run(['ls'], env);
  assert.equal(listed.code, 1);
  assert.match(
    listed.stderr,
    /no connection to http:\/\/lift\.invalid through the proxy http:\/\/127\.0\.0\.1:9: connection refused \(ECONNREFUSED\)/,
  );
  const doctor = await run(['doctor'], env);
  assert.equal(doctor.code, 1);
  assert.match(doctor.stdout, /no connection to the proxy, port 9 of 127\.0\.0\.1 .*\n.*unset all_proxy/);
  for (const { stdout, stderr } of [listed, doctor]) assert.doesNotMatch(stdout + stderr, /geheim/);
});

test('proxy: an unsupported kind is a usage error', async () => {
  const { code, stderr } = await run(['ls'], { http_proxy: 'socks5h://127.0.0.1:1080' });
  assert.equal(code, 2);
  assert.match(stderr, /http_proxy is a socks5h proxy: only http and https proxies are supported/);
});
