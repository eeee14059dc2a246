import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { runAlone, TestBench } from '../testing/test-process.ts';
import { findSecret, signToken } from './own-token.ts';

let bench: TestBench;
let token: string;
/** No secret for a token. */
const AWAY = { CRYOLIFT_DATA_DIR: '/nowhere' };

before(async () => {
  bench = await TestBench.start({ CRYOLIFT_ACCEPT: 'bin' });
  token = await signToken((await findSecret({}, bench.path('data'))) ?? '', 'ada', 'uploads:write files:read', 3600);
  await writeFile(bench.path('token'), `${token}\n`);
  await writeFile(bench.path('token-crlf'), `\ufeff${token}\r\n`);
  await writeFile(bench.path('token-utf-16'), Buffer.from(`\ufeff${token}\r\n`, 'utf16le'));
  await writeFile(bench.path('empty'), '\n');
  await writeFile(bench.path('two'), `${token}\r\n${token}\r\n`);
  await writeFile(bench.path('bytes'), Buffer.from([0x61, 0xff, 0x80]));
  await writeFile(bench.path('a.bin'), 'abc');
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

test('token: read from a file, standard input, the environment, or a file named in the environment', async () => {
  const ways: readonly (readonly [line: string, env: Record<string, string>])[] = [
    ['$CRYOLIFT ls --token @token', AWAY],
    ['$CRYOLIFT ls --token - < token', AWAY],
    ['$CRYOLIFT ls --token @token-crlf', AWAY],
    ['$CRYOLIFT ls --token @token-utf-16', AWAY],
    ['$CRYOLIFT ls --token - < token-utf-16', AWAY],
    ['$CRYOLIFT ls', { ...AWAY, CRYOLIFT_TOKEN: token }],
    ['$CRYOLIFT ls', { ...AWAY, CRYOLIFT_TOKEN: '@token' }],
  ];
  for (const [line, env] of ways) {
    const { code, stderr } = await bench.runInShell(line, env);
    assert.equal(code, 0, `${line}: ${stderr}`);
  }
});

test('link: read from standard input, a file, or the environment; contains the URL of the server', async () => {
  const away = { ...AWAY, CRYOLIFT_SERVER: 'http://127.0.0.1:9' };
  const made = await bench.run(['link'], { ...AWAY, CRYOLIFT_TOKEN: token });
  assert.equal(made.code, 0, made.stderr);
  await writeFile(bench.path('link'), made.stdout);
  for (const [line, env] of [
    ['$CRYOLIFT upload --link - a.bin < link', away],
    ['$CRYOLIFT upload --link @link a.bin', away],
    ['$CRYOLIFT upload a.bin', { ...away, CRYOLIFT_LINK: '@link' }],
    ['$CRYOLIFT upload a.bin', { ...away, CRYOLIFT_LINK: made.stdout.trim(), CRYOLIFT_TOKEN: 'x' }],
  ] as const) {
    const { code, stdout, stderr } = await bench.runInShell(line, env);
    assert.equal(code, 0, `${line}: ${stdout}${stderr}`);
  }
  const own = await bench.runInShell('$CRYOLIFT ls --token @token', { ...AWAY, CRYOLIFT_LINK: made.stdout.trim() });
  assert.equal(own.code, 0, 'what is on the command line goes before the environment');
});

/** As Notepad and the shells of Windows write a line. */
const WINDOWS_FILES: readonly (readonly [name: string, encode: (line: string) => Buffer])[] = [
  ['CRLF', (line) => Buffer.from(`${line}\r\n`)],
  ['a byte order mark and CRLF', (line) => Buffer.from(`\ufeff${line}\r\n`)],
  ['UTF-16', (line) => Buffer.from(`\ufeff${line}\r\n`, 'utf16le')],
  ['UTF-16, big-endian', (line) => Buffer.from(`\ufeff${line}\r\n`, 'utf16le').swap16()],
];
for (const [name, encode] of WINDOWS_FILES) {
  test(`token, link: read from files with ${name}`, async () => {
    await writeFile(bench.path('windows-token'), encode(token));
    const made = await bench.run(['link'], { ...AWAY, CRYOLIFT_TOKEN: token });
    await writeFile(bench.path('windows-link'), encode(made.stdout.trim()));
    const ways: readonly (readonly [line: string, env: Record<string, string>])[] = [
      ['$CRYOLIFT ls --token @windows-token', AWAY],
      ['$CRYOLIFT ls --token - < windows-token', AWAY],
      ['$CRYOLIFT ls', { ...AWAY, CRYOLIFT_TOKEN: '@windows-token' }],
      ['$CRYOLIFT upload --link @windows-link a.bin', AWAY],
      ['$CRYOLIFT upload a.bin', { ...AWAY, CRYOLIFT_LINK: '@windows-link' }],
    ];
    for (const [line, env] of ways) {
      const { code, stderr } = await bench.runInShell(line, env);
      assert.equal(code, 0, `${line}: ${stderr}`);
    }
  });
}

test('token: an unreadable or empty source is a usage error', async () => {
  for (const [given, reason] of [
    ['@nowhere', /--token: nowhere cannot be read: no such file or folder/],
    ['@empty', /--token: empty is empty/],
    ['@two', /--token: two has more than one line or word/],
    ['@bytes', /--token: bytes is not a text file in UTF-8/],
    ['-', /--token: standard input is empty/],
  ] as const) {
    const { code, stderr } = await bench.run(['ls', '--token', given], AWAY);
    assert.equal(code, 2);
    assert.match(stderr, reason);
  }
});

test('help: warns that other users can read arguments, and names the alternatives', async () => {
  const { stdout } = await runAlone(['--help']);
  assert.match(stdout, /Every user of a machine can read the arguments/);
  for (const way of ['@FILE', '--token -', 'CRYOLIFT_TOKEN', 'CRYOLIFT_LINK']) assert.ok(stdout.includes(way), way);
});
