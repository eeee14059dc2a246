/** Each check against a real fault of the kind that it detects. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { SCOPES } from '@cryolift/protocol/scopes';
import { findSecret, signToken } from '../connection/own-token.ts';
import { NoTokenError } from '../process/exit.ts';
import { TestBench } from '../testing/test-process.ts';
import { diagnose, type Patient } from './diagnose.ts';
import type { Finding } from './finding.ts';
import { type Faults, startProxy } from './test-proxy.ts';

const EVERY_CHECK = [
  ...['node', 'state_folder', 'token', 'connection', 'server', 'clock', 'ready', 'limits', 'authorised', 'buffering'],
  ...['body_limit', 'room', 'bytes', 'digest', 'expect', 'speed'],
];
const HOUR_SECONDS = 3600;

let bench: TestBench;
let secret: string;
let token: string;

before(async () => {
  bench = await TestBench.start();
  secret = (await findSecret({}, bench.path('data'))) ?? '';
  token = await signToken(secret, 'ada', SCOPES.join(' '), HOUR_SECONDS);
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

function patient(changes: Partial<Patient> = {}): Patient {
  const defaults = { server: bench.url, proxy: null, getToken: async () => token, stateFolder: bench.path('state') };
  return { ...defaults, isRenewing: false, retryForMs: 1_000, neededSpaceBytes: null, slowSeconds: null, ...changes };
}

async function examine(changes: Partial<Patient> = {}): Promise<Finding[]> {
  const findings = await Array.fromAsync(diagnose(patient(changes), new AbortController().signal));
  assert.deepEqual(await readdir(bench.path('data/staging')), [], 'nothing is left at the server');
  assert.deepEqual(await readTraces(), { uploads: [], newestEvent: '0' });
  for (const { found } of findings) assert.ok(!found.includes(token));
  return findings;
}

/** The uploads that the server still has after all checks so far. */
async function readTraces(): Promise<{ uploads: unknown; newestEvent: string | undefined }> {
  const headers = { authorization: `Bearer ${token}` };
  const { items } = (await (await fetch(`${bench.url}/uploads`, { headers })).json()) as { items: unknown };
  const events = await fetch(`${bench.url}/events`, { headers });
  const reader = events.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  await reader?.cancel();
  return { uploads: items, newestEvent: /^id: (\d+)$/m.exec(first)?.[1] };
}

/** The problems, as `outcome check`. */
function problems(findings: readonly Finding[]): string[] {
  return findings.filter(({ outcome }) => outcome !== 'ok').map(({ outcome, check }) => `${outcome} ${check}`);
}

async function examineThrough(t: Parameters<typeof startProxy>[0], faults: Faults, changes: Partial<Patient> = {}) {
  return await examine({ ...changes, server: await startProxy(t, bench.url, faults) });
}

test('doctor: finds no problem with a correct server, direct and through a correct proxy', async (t) => {
  for (const findings of [await examine({ slowSeconds: 1 }), await examineThrough(t, {}, { slowSeconds: 1 })]) {
    assert.deepEqual(problems(findings), []);
    assert.deepEqual(
      findings.map(({ check }) => check),
      [...EVERY_CHECK, 'long_request'],
    );
  }
});

const FAULTS: readonly (readonly [what: string, faults: Faults, problems: string[], mend: RegExp])[] = [
  ['buffers', { buffers: true }, ['fail buffering'], /proxy_request_buffering off/],
  ['caps bodies', { capBytes: 1024 * 1024 }, ['fail body_limit'], /client_max_body_size 0/],
  ['caps the largest parts', { capBytes: 512 * 1024 * 1024 }, ['warn body_limit'], /client_max_body_size 0/],
  ['buffers and caps', { buffers: true, capBytes: 1024 * 1024 }, ['fail buffering', 'fail body_limit'], /nginx/],
  ['hides refusals', { hidesRefusals: true }, ['warn buffering'], /proxy_set_header Connection ""/],
  ['takes Content-Digest away', { drops: ['content-digest'] }, ['fail digest'], /Content-Digest/],
  ['removes Authorization', { drops: ['authorization'] }, ['fail authorised'], /removes Authorization/],
  ['alters bytes', { alters: true }, ['fail buffering', 'fail bytes'], /virus scanner/],
  ['alters bytes unseen', { alters: true, drops: ['content-digest'] }, ['fail buffering', 'fail bytes'], /virus/],
  ['sets its own X-Request-Id', { sets: { 'x-request-id': 'p1' } }, ['warn bytes'], /X-Request-Id/],
  ['ignores Expect', { ignoresExpect: true }, ['warn expect'], /Expect/],
];
for (const [what, faults, expected, mend] of FAULTS) {
  test(`doctor: detects a proxy that ${what}`, async (t) => {
    const findings = await examineThrough(t, faults);
    assert.deepEqual(problems(findings), expected);
    assert.match(findings.map((finding) => finding.mend).join(), mend);
  });
}

test('doctor: detects a proxy that ends long requests', async (t) => {
  const findings = await examineThrough(t, { cutsAfterMs: 1_500 }, { slowSeconds: 60 });
  assert.deepEqual(problems(findings), ['fail long_request']);
  assert.match(findings.at(-1)?.mend ?? '', /client_body_timeout/);
});

test('doctor: a lost answer to init leaves no upload on the server', async (t) => {
  const findings = await examineThrough(t, { losesInit: true }, { neededSpaceBytes: 1024 * 1024 });
  assert.deepEqual(problems(findings), ['fail room']);
});

test('doctor: detects clocks that differ', async (t) => {
  const behind = await examineThrough(t, { aheadSeconds: 300 });
  assert.deepEqual(problems(behind), ['fail clock']);
  assert.match(behind.find(({ check }) => check === 'clock')?.found ?? '', /(29\d|30[0-5]) s behind/);
  assert.deepEqual(problems(await examineThrough(t, { aheadSeconds: -45 })), ['warn clock']);
  assert.deepEqual(problems(await examineThrough(t, { aheadSeconds: -10 })), []);
});

async function listen(t: Parameters<typeof startProxy>[0], answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const OTHERS: readonly (readonly [who: string, status: number, headers: Record<string, string>, mend: RegExp])[] = [
  ['some web site', 200, { 'content-type': 'text/html' }, /host, port and path/],
  ['a proxy without a server behind it', 502, { server: 'nginx' }, /cannot reach the server/],
  ['a redirection', 301, { location: 'https://elsewhere.example/' }, /the URL of the redirect/],
  ['a login page', 401, { 'www-authenticate': 'Basic' }, /its own login/],
];
for (const [who, status, headers, mend] of OTHERS) {
  test(`doctor: reports that ${who} is not a Cryolift server`, async (t) => {
    const server = await listen(t, (_asked, answer) => void answer.writeHead(status, headers).end('<p>Hello</p>'));
    const findings = await examine({ server });
    assert.deepEqual(problems(findings), ['fail server']);
    assert.match(findings.at(-1)?.mend ?? '', mend);
  });
}

test('doctor: detects a server that answers only the health check like Cryolift', async (t) => {
  const server = await listen(t, (_asked, answer) => void answer.end('{"status":"ok"}'));
  assert.deepEqual(problems(await examine({ server })), ['fail ready', 'fail limits']);
});

test('doctor: detects a server that closes connections', async (t) => {
  const server = await listen(t, (asked) => void asked.socket.destroy());
  assert.deepEqual(problems(await examine({ server })), ['fail server']);
});

test('doctor: detects a closed port and a name that does not exist', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const refused = await examine({ server: `http://127.0.0.1:${port}` });
  assert.deepEqual(problems(refused), ['fail connection']);
  assert.match(refused.at(-1)?.mend ?? '', /cryolift serve/);
  // Never resolves (RFC 6761).
  assert.deepEqual(problems(await examine({ server: 'http://nosuch.invalid' })), ['fail name']);
});

test('tokens', async () => {
  const tokens: readonly (readonly [token: string, problems: string[], found: RegExp])[] = [
    [await signToken(secret, 'ada', SCOPES.join(' '), -3 * HOUR_SECONDS), ['fail token'], /expired 3 h ago/],
    [await signToken(secret, 'ada', SCOPES.join(' '), 600), ['warn token'], /expires in (9|10) min/],
    [await signToken(secret, 'ada', 'files:read', HOUR_SECONDS), ['fail token'], /does not permit uploads.*files:read/],
    [await signToken(secret, '', SCOPES.join(' '), HOUR_SECONDS), ['fail token'], /has no owner/],
    [token.slice(0, 40), ['fail token'], /not a complete JSON Web Token/],
    [await signToken('x'.repeat(32), 'ada', SCOPES.join(' '), HOUR_SECONDS), ['fail authorised'], /unauthenticated/],
    [tokenFrom(Date.now() / 1000 + HOUR_SECONDS), ['fail token'], /valid only from in (59|60) min/],
  ];
  for (const [given, expected, found] of tokens) {
    const findings = await examine({ getToken: async () => given });
    assert.deepEqual(problems(findings), expected);
    assert.match(findings.map((finding) => finding.found).join(), found);
  }
  const none = await examine({
    getToken: async () => {
      throw new NoTokenError('none');
    },
  });
  assert.deepEqual(problems(none), ['fail token']);
  assert.ok(
    none.some(({ check, outcome }) => check === 'buffering' && outcome === 'ok'),
    'the network is checked anyway',
  );
});

/** A token that is valid from `nbf`, in seconds. Its signature is never checked. */
function tokenFrom(nbf: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'HS256' })}.${encode({ sub: 'ada', scope: 'uploads:write', nbf })}.AAAA`;
}

test('doctor: detects a state folder that cannot be created', async () => {
  await writeFile(bench.path('a-file'), '');
  assert.deepEqual(problems(await examine({ stateFolder: bench.path('a-file/state') })), ['fail state_folder']);
});

test('doctor: reports when the space requested with --room is not available', async () => {
  const findings = await examine({ neededSpaceBytes: 15 * 1024 ** 4 });
  assert.deepEqual(problems(findings), ['fail room']);
  assert.match(findings.find(({ check }) => check === 'room')?.found ?? '', /space for .*iB, not for 15.0 TiB/);
});

test('doctor: reads the quota before the trial upload, which fits into the rest', async (t) => {
  const small = await TestBench.start({ CRYOLIFT_QUOTA_BYTES: '2MiB', CRYOLIFT_ACCEPT: 'bin' });
  t.after(async () => assert.equal(await small.stop(), 0));
  const own = await signToken((await findSecret({}, small.path('data'))) ?? '', 'ada', SCOPES.join(' '), HOUR_SECONDS);
  const examineThere = async (changes: Partial<Patient> = {}) => {
    const asked = patient({ server: small.url, getToken: async () => own, ...changes });
    return await Array.fromAsync(diagnose(asked, new AbortController().signal));
  };
  const found = (findings: Finding[]) => findings.find(({ check }) => check === 'quota')?.found ?? '';

  const free = await examineThere();
  assert.deepEqual(problems(free), ['warn quota']);
  assert.match(found(free), /^0 B of your quota of 2.00 MiB are used$/);
  assert.ok(free.some(({ check, outcome }) => check === 'speed' && outcome === 'ok'));
  const requested = await examineThere({ neededSpaceBytes: 3 * 1024 * 1024 });
  assert.deepEqual(problems(requested), ['fail quota']);
  assert.match(found(requested), /2.00 MiB are left, less than 3.00 MiB/);

  const json = { filename: 'a.bin', size: 1.9 * 1024 * 1024 };
  const opened = await fetch(`${small.url}/uploads/init`, {
    method: 'POST',
    headers: { authorization: `Bearer ${own}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...json, size: Math.floor(json.size) }),
  });
  assert.equal(opened.status, 201);
  const full = await examineThere();
  assert.deepEqual(problems(full), ['fail quota']);
  assert.match(found(full), /too little is left for a trial upload/);
  assert.equal(full.at(-1)?.check, 'quota', 'nothing was tried');
});

test('doctor: cancels its trial upload when it is interrupted', async () => {
  const controller = new AbortController();
  const interrupted = async () => {
    for await (const { check } of diagnose(patient(), controller.signal)) {
      if (check !== 'bytes') continue;
      assert.equal((await readdir(bench.path('data/staging'))).length, 1, 'the trial is under way');
      controller.abort(new Error('Ctrl-C'));
    }
  };
  await assert.rejects(interrupted, /Ctrl-C/);
  assert.deepEqual(await readdir(bench.path('data/staging')), []);
});
