/** Error messages: complete sentences with the URL or path. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, test } from 'node:test';
import { SCOPES } from '@cryolift/protocol/scopes';
import { TestBench } from '../testing/test-process.ts';
import { signToken } from './own-token.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** @returns its URL. It ends with the test. */
async function serve(t: { after(run: () => void): void }, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('messages: a failed connection prints the URL and the reason', async (t) => {
  // A port that was free a moment ago.
  const free = createTcpServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const url = `http://127.0.0.1:${(free.address() as AddressInfo).port}`;
  free.close();
  await once(free, 'close');
  const resetting = createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  resetting.listen(0, '127.0.0.1');
  await once(resetting, 'listening');
  t.after(() => resetting.close());
  const reset = `http://127.0.0.1:${(resetting.address() as AddressInfo).port}`;
  const plain = bench.url.replace('http:', 'https:');
  const cases: readonly (readonly [url: string, shown: string, why: string])[] = [
    [url, url, 'connection refused (ECONNREFUSED)'],
    [`${url.replace('//', '//ada:secret@')}/lift/`, `${url}/lift`, 'connection refused (ECONNREFUSED)'],
    ['http://nowhere.invalid', 'http://nowhere.invalid', 'the name does not exist (ENOTFOUND)'],
    [reset, reset, 'the connection was reset (ECONNRESET)'],
    [plain, plain, 'no TLS connection can be made (EPROTO)'],
  ];
  for (const [server, shown, why] of cases) {
    const { code, stderr } = await bench.run(['ls', '--server', server, '--token', 'x']);
    assert.equal(code, 1);
    const [first] = stderr.split('\n');
    // Without a reachable name server the message differs.
    const said = String(first).replace(
      'the name cannot be resolved now (EAI_AGAIN)',
      'the name does not exist (ENOTFOUND)',
    );
    assert.equal(said, `cryolift: no connection to ${shown}: ${why}`);
  }
});

test('messages: an answer of another program prints the URL', async (t) => {
  const url = await serve(t, (_, answer) => void answer.writeHead(404).end('<h1>Not here</h1>'));
  for (const command of [['ls'], ['upload', '-r', '.']]) {
    const { code, stderr } = await bench.run([...command, '--server', url, '--token', 'x']);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`the answer \\(404\\) of ${url} does not come from a Cryolift server`));
  }
});

test('messages: a permanent refusal prints no waiting message', async () => {
  const token = await signToken('y'.repeat(32), 'ada', SCOPES.join(' '), 3600);
  await writeFile(bench.path('a.xml'), 'no token fits');
  const { code, stderr } = await bench.run(['upload', 'a.xml', '--token', token]);
  assert.equal(code, 3);
  assert.match(stderr, /a\.xml: failed/);
  assert.doesNotMatch(stderr, /waiting/);
});

test('messages: contain the wrong value, and hints for this command', async () => {
  await writeFile(bench.path('b.xml'), 'some bytes');
  await writeFile(bench.path('plain'), 'no folder');
  const state = { XDG_STATE_HOME: bench.path('plain') };
  const cases: readonly (readonly [args: readonly string[], code: number, said: RegExp, env?: typeof state])[] = [
    [['inspect', 'none.mrc'], 1, /^cryolift: none\.mrc: .*no such file/],
    [['verify', 'none.mrc', 'id'], 1, /^cryolift: none\.mrc: .*no such file/],
    [['upload', '--files', '0', 'b.xml'], 2, /^cryolift: --files: "0" is not a whole number/],
    [['watch', '--settle', '1', '.'], 2, /^cryolift: --settle: "1" is not a duration/],
    [['admin', 'scrub', '--rate', '1'], 2, /^cryolift: --rate: 1 is not between 1MiB and 8191TiB/],
    [['link', '--expires', '31d'], 2, /^cryolift: --expires: 31d is not between 1s and 30d/],
    [['status', 'none'], 1, /`cryolift ls` lists/],
    [['rm', 'none'], 1, /`cryolift ls` lists/],
    [['link', '--revoke', 'none'], 1, /Check the id/],
    [['ls', '--token', 'x'], 3, /--token, or CRYOLIFT_TOKEN/],
    [['audit', '--data-dir', 'none'], 2, /^cryolift: none\/audit: no such file or folder; give the --data-dir/],
    [['token', '--data-dir', 'plain'], 2, /no secret found/],
    [['upload', '--checksums', 'none/list', 'b.xml'], 1, /^cryolift: none\/list: no such file or folder/],
    [['upload', 'b.xml'], 1, /plain\/cryolift\/uploads: a part of the path is not a folder \(ENOTDIR\)/, state],
    [
      ['doctor'],
      1,
      /plain\/cryolift\/uploads cannot be written: a part of the path is not a folder \(ENOTDIR\)/,
      state,
    ],
  ];
  for (const [args, code, said, env] of cases) {
    const ended = await bench.run(args, env);
    const text = ended.stderr + ended.stdout;
    assert.equal(ended.code, code, `${args.join(' ')}: ${text}`);
    assert.match(text, said);
    // Neither messages of Node nor API calls.
    assert.doesNotMatch(text, /\b[A-Z]+: |\bGET \/|syscall|errno/);
  }
});

test('watch: a --move-to folder inside the watched folder is not created', async () => {
  await mkdir(bench.path('watched'));
  const { code } = await bench.run(['watch', 'watched', '--move-to', 'watched/done/deep']);
  assert.equal(code, 2);
  assert.deepEqual(await readdir(bench.path('watched')), []);
});
