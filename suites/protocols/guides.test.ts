/** The programs of docs/guides/tus.md and docs/guides/curl-and-python.md, run as they stand there, with an upload link. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MIB } from '@cryolift/protocol/plan';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually } from '../contract/upload.ts';
import { makeLink } from './clients/link.ts';
import { bringTusPython } from './clients/python.ts';
import { type CryoliftUnderTest, findCryolift } from './cryolift.ts';
import { exchange } from './exchange.ts';
import { programIn } from './guides.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const NAME = 'movie.mrc';
const needsCurl = ['curl', 'openssl'].every((name) => spawnSync(name, ['--version']).error === undefined)
  ? false
  : 'needs curl and openssl';
const environment = bringTusPython();
const bin = 'bin' in environment ? environment.bin : '';
const needsPython = 'missing' in environment ? environment.missing : false;

const root = mkdtempSync(join(tmpdir(), 'cryolift-guides-'));
let cryolift: CryoliftUnderTest;
let own: Record<string, string>;
before(async () => {
  symlinkSync(MODULES, join(root, 'node_modules'));
  cryolift = await findCryolift({ CRYOLIFT_ACCEPT: '' });
  own = { 'https://lift.example.org': cryolift.url, 'cl_link_…': await makeLink(cryolift) };
});
after(async () => {
  await cryolift.stop();
  rmSync(root, { recursive: true });
});

/** A folder with a new file in it. */
function makeFolder(name: string): { folder: string; bytes: Buffer } {
  const folder = join(root, name);
  mkdirSync(folder);
  const bytes = makeMrc(3 * MIB + 11);
  writeFileSync(join(folder, NAME), bytes);
  return { folder, bytes };
}

async function run(folder: string, command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.equal(code, 0, `${out}${err}`);
  return out;
}

/** Waits until the owner of the link has a file of these bytes. */
async function assertFile(bytes: Buffer): Promise<void> {
  const digest = sha256Hex(bytes);
  const found = await eventually(
    async () => (await cryolift.listFiles()).filter(({ sha256 }) => sha256 === digest),
    (files) => files.length > 0,
  );
  assert.deepEqual(
    found.map(({ filename }) => filename),
    [NAME],
  );
}

test('guide of tus: the program for Node uploads a file, and again what it stored', async () => {
  const { folder, bytes } = makeFolder('node');
  writeFileSync(join(folder, 'upload.mjs'), programIn('tus.md', 'js', 0, own));
  const url = (await run(folder, process.execPath, 'upload.mjs', NAME)).trim();
  await assertFile(bytes);
  assert.equal((await run(folder, process.execPath, 'upload.mjs', NAME)).trim(), url);
});

for (const [nr, what] of ['in one request', 'in one request with its digest'].entries()) {
  test(`guide of curl: a file ${what}`, { skip: needsCurl }, async () => {
    const { folder, bytes } = makeFolder(`curl-${nr}`);
    const answer = await run(folder, 'sh', '-c', programIn('curl-and-python.md', 'sh', nr, own));
    assert.equal((JSON.parse(answer) as { sha256: string }).sha256, sha256Hex(bytes));
    await assertFile(bytes);
  });
}

test('guide of curl: the script that continues sends what is missing', { skip: needsCurl }, async () => {
  const { folder, bytes } = makeFolder('continuing');
  const script = programIn('curl-and-python.md', 'sh', 2, own);
  // The first run was stopped after 1 MiB.
  const created = await exchange({
    method: 'POST',
    url: `${cryolift.url}/resumable/${NAME}`,
    headers: {
      authorization: `Bearer ${own['cl_link_…']}`,
      'upload-complete': '?0',
      'upload-length': `${bytes.length}`,
    },
    body: bytes.subarray(0, MIB),
  });
  assert.equal(created.status, 201, `${created.body}`);
  writeFileSync(join(folder, `${NAME}.upload`), `${created.headers.location}\n`);
  await run(folder, 'sh', '-c', script);
  await assertFile(bytes);
});

test('guide of curl: the script that continues sends a whole file, too', { skip: needsCurl }, async () => {
  const { folder, bytes } = makeFolder('whole');
  await run(folder, 'sh', '-c', programIn('curl-and-python.md', 'sh', 2, own));
  await assertFile(bytes);
});

test('guide of curl: the script that continues ends when the answer to its last request was lost', {
  skip: needsCurl,
}, async () => {
  const { folder, bytes } = makeFolder('lost-answer');
  const created = await exchange({
    method: 'POST',
    url: `${cryolift.url}/resumable/${NAME}`,
    headers: { authorization: `Bearer ${own['cl_link_…']}`, 'upload-complete': '?1' },
    body: bytes,
  });
  assert.equal(created.status, 201, `${created.body}`);
  writeFileSync(join(folder, `${NAME}.upload`), `${created.headers.location}\n`);
  await run(folder, 'sh', '-c', programIn('curl-and-python.md', 'sh', 2, own));
  await assertFile(bytes);
  assert.deepEqual(readdirSync(folder), [NAME]);
});

test('guide of Python: the program uploads a file', { skip: needsPython }, async () => {
  const { folder, bytes } = makeFolder('python');
  writeFileSync(join(folder, 'upload.py'), programIn('curl-and-python.md', 'python', 0, own));
  await run(folder, join(bin, 'python'), 'upload.py', NAME);
  await assertFile(bytes);
});

test('upload links: the token can stand in the URL of the endpoint', { skip: needsPython }, async () => {
  const { folder, bytes } = makeFolder('in-the-url');
  const [example, token = ''] = ['https://lift.example.org/tus', own['cl_link_…']];
  const program = programIn('curl-and-python.md', 'python', 0, {
    [`"${example}", {"Authorization": "Bearer cl_link_…"}`]: `"${cryolift.url}/tus?token=${token}"`,
  });
  writeFileSync(join(folder, 'upload.py'), program);
  await run(folder, join(bin, 'python'), 'upload.py', NAME);
  await assertFile(bytes);
});
