/** `cryolift config` as a process. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseLines, runAlone } from '../testing/test-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'cryolift-config-'));
after(() => rmSync(folder, { recursive: true }));

const path = join(folder, 'config/cryolift/cryolift.toml');
const env = { XDG_CONFIG_HOME: join(folder, 'config') };

test('config init: writes the file of the user once; config check names what is missing in it', async () => {
  const first = await runAlone(['config', 'init'], env);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, new RegExp(`^wrote ${path}: `));
  const text = readFileSync(path, 'utf8');
  const second = await runAlone(['config', 'init'], env);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /exists already/);
  assert.equal(readFileSync(path, 'utf8'), text);

  const missing = await runAlone(['config', 'check', '--json'], env);
  assert.equal(missing.code, 2);
  const line = text.split('\n').findIndex((each) => each.startsWith('token_file')) + 1;
  const message = 'token_file: /etc/cryolift/token cannot be read: no such file or folder';
  if (!existsSync('/etc/cryolift/token')) {
    assert.deepEqual(parseLines(missing.stdout), [{ path, valid: false, faults: [{ line, message }] }]);
  }
});

test('config check: prints what the settings mean; a file with CRLF and a byte order mark is read', async () => {
  const [token, file] = [join(folder, 'token'), join(folder, 'windows.toml')];
  writeFileSync(token, 'secret-token\r\n');
  const text = `\ufeffserver = 'http://127.0.0.1:1'\r\ntoken_file = '${token}'\r\n[[watch]]\r\nfolder = '/data/a'\r\n`;
  for (const encoding of ['utf8', 'utf16le'] as const) {
    writeFileSync(file, text, encoding);
    const { code, stdout } = await runAlone(['config', 'check', file]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /\.toml is valid\nserver {6}http:\/\/127\.0\.0\.1:1\n/);
    assert.match(stdout, /folder {6}\/data\/a\n {2}files are uploaded 60 s after their last change/);
    assert.doesNotMatch(stdout, /secret-token/);
  }
  const json = parseLines<{ valid: boolean; settings: { watch: object[] } }>(
    (await runAlone(['config', 'check', file, '--json'])).stdout,
  );
  assert.deepEqual([json[0]?.valid, json[0]?.settings.watch.length], [true, 1]);
});

test('config check: a link file without a link, a file that is not text, and no file', async () => {
  const [link, file] = [join(folder, 'link'), join(folder, 'link.toml')];
  writeFileSync(link, 'https://files.example.org/\n');
  writeFileSync(file, `link_file = '${link}'\n[[watch]]\nfolder = '/data/a'\n`);
  const noLink = await runAlone(['config', 'check', file]);
  assert.equal(noLink.code, 2);
  assert.match(noLink.stdout, /has 1 fault\n {2}line 1: link_file: .* does not hold an upload link/);
  writeFileSync(link, 'https://files.example.org/#token=abc.def-g\r\n');
  assert.equal((await runAlone(['config', 'check', file])).code, 0);

  writeFileSync(file, Buffer.from([0x23, 0xff, 0x0a]));
  const binary = await runAlone(['config', 'check', file]);
  assert.equal(binary.code, 2);
  assert.match(binary.stderr, /not a text file in UTF-8/);
  const absent = await runAlone(['config', 'check', join(folder, 'absent.toml')]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /absent\.toml: there is no such file\n {2}Write one with `cryolift config init`/);
});
