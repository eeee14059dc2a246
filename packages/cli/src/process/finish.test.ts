/** A slow reader receives the whole output, and a reader that closes the pipe ends the command quietly. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Api } from '@cryolift/client';
import { HttpTransport } from '@cryolift/client/node';
import { SCOPES } from '@cryolift/protocol/scopes';
import { signToken } from '../connection/own-token.ts';
import { TestBench } from '../testing/test-process.ts';

const MIB = 1024 * 1024;
const UPLOADS = 400;
const AUDIT_LINES = 12_000;
const MISSING_FILES = 8_000;
const SECRET = 'only for tests: 32 bytes or more of it';
/** 141: what a shell reports for a program that SIGPIPE ended. */
const CLOSED_PIPE = 141;
const SLOWLY = '(sleep 2; cat)';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start({
    CRYOLIFT_JWT_SECRET: SECRET,
    CRYOLIFT_ACCEPT: 'dm4',
    // Nothing listens there: every event remains a waiting delivery.
    CRYOLIFT_WEBHOOK_URL: 'http://127.0.0.1:9/',
    CRYOLIFT_WEBHOOK_SECRET: SECRET,
    CRYOLIFT_RATE_LIMIT: '1000000',
  });
  await writeFile(bench.path('token'), await signToken(SECRET, 'local', SCOPES.join(' '), 3600));
  await openUploads();
  const line = JSON.stringify({ time: '2020-01-31T00:00:00.000Z', subject: 'ann', address: '10.0.0.7', outcome: 'ok' });
  const audit = Array.from({ length: AUDIT_LINES }, (_, seq) =>
    line.replace('}', `,"action":"file.read","seq":"${seq}"}\n`),
  );
  await writeFile(join(bench.folder, 'data/audit/2020-01.jsonl'), audit.join(''));
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** Each has so much metadata that their list is longer than 1 MiB. */
async function openUploads(): Promise<void> {
  const transport = new HttpTransport(bench.url);
  const api = new Api(transport, () => signToken(SECRET, 'local', SCOPES.join(' '), 3600));
  for (let idx = 0; idx < UPLOADS; idx++) {
    const request = { filename: `${idx}.dm4`, size: 1000, metadata: { note: 'x'.repeat(3000) } };
    await api.init(request, `key-${idx}`);
  }
  transport.close();
}

async function runInShell(line: string) {
  return await bench.runInShell(`export CRYOLIFT_TOKEN=$(cat ${bench.path('token')}); ${line}`);
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

const LISTS: readonly [args: string, marker: string, lines: number, leastBytes: number][] = [
  ['ls --json', '"kind":"upload"', UPLOADS, MIB],
  ['admin sessions --json', '"upload_id"', UPLOADS, MIB / 16],
  ['admin deliveries --all --json', '"upload_id"', UPLOADS, MIB / 16],
  ['audit --json', 'file.read', AUDIT_LINES, MIB],
  ['audit', 'file.read', AUDIT_LINES, MIB / 2],
];
for (const [args, marker, lines, leastBytes] of LISTS) {
  test(`output: ${args} is complete with a slow reader`, async () => {
    const { code, stdout, stderr } = await runInShell(`$CRYOLIFT ${args} | ${SLOWLY}`);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.length >= leastBytes, `${stdout.length} bytes`);
    assert.equal(stdout.split('\n').filter((line) => line.includes(marker)).length, lines);
  });
}

/** Missing files: each gives a line of about 140 bytes on standard error. */
const MISSING_PATHS = `$(seq -f ${'nosuchfile-'.repeat(8)}%g.mrc ${MISSING_FILES})`;

test('output: standard error is complete with a slow reader', async () => {
  const { code, stdout } = await runInShell(`$CRYOLIFT upload ${MISSING_PATHS} 2>&1 | ${SLOWLY}`);
  assert.equal(code, 1);
  assert.ok(stdout.length >= MIB, `${stdout.length} bytes`);
  for (const last of [`-${MISSING_FILES}.mrc`, `${MISSING_FILES} failed`]) assert.ok(stdout.includes(last), last);
});

for (const args of [
  'ls',
  'ls --json',
  'admin sessions',
  'admin sessions --json',
  'admin deliveries --all',
  'admin deliveries --all --json',
  'audit',
  'audit --json',
  'events --after 0',
  'events --after 0 --json',
  `upload --json ${MISSING_PATHS}`,
]) {
  const name = args.replace(MISSING_PATHS, 'of many files that are not there');
  test(`output: ${name} ends quietly when its reader closes the pipe`, async () => {
    // The second command of the pipe reads nothing. It must have ended before the first one writes.
    for (const reader of ['head -1', 'true']) {
      const { code, stdout, stderr } = await runInShell(`$CRYOLIFT ${args} | ${reader}`);
      assert.deepEqual([countLines(stdout), stderr], [reader === 'true' ? 0 : 1, ''], reader);
      // `head` may have read a short list completely.
      const taken = reader === 'head -1' && code === 0;
      assert.ok(taken || code === CLOSED_PIPE, `exit code ${code} before ${reader}`);
    }
  });
}

test('output: a closed pipe of standard error ends the command, too', async () => {
  const { code, stdout } = await runInShell('{ $CRYOLIFT upload no-1.mrc no-2.mrc 2>&1 >&3 | true; } 3>&1');
  assert.deepEqual([code, stdout], [CLOSED_PIPE, '']);
});

test('output: a full disk behind standard output prints one sentence', async () => {
  const { code, stderr } = await runInShell('$CRYOLIFT ls --json > /dev/full');
  assert.equal(code, 1);
  assert.equal(stderr, 'cryolift: standard output cannot be written: no space is left on the device (ENOSPC)\n');
});

test('output: a signal ends the wait for a reader that does not read', async () => {
  const { stdout } = await runInShell(`
    $CRYOLIFT upload ${MISSING_PATHS} 2> >(head -c 100 > started; echo $BASHPID > stalled; exec sleep 600) &
    until [ -s stalled ]; do sleep 0.1; done
    sleep 2
    kill -TERM $!; wait $!; echo "ended $?"; kill $(cat stalled)`);
  assert.match(stdout, /^ended 130$/m);
});
