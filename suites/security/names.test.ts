/** What a client calls a file, and what becomes of it: on the disk, in answers, in the head of a download. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import { initRequest, publish } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: '.html,.svg' });
after(() => server.discard());
const call = callAs(server);

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'a path': ['../a.mrc', '/etc/a.mrc', 'a/b.mrc', '..\\a.mrc', 'C:\\a.mrc', '.', '..', ''],
  'control characters': ['a\0.mrc', 'a\n.mrc', 'a\r\nset-cookie: x.mrc', 'a\x7f.mrc', 'a\x85.mrc', 'a\x1b[31m.mrc'],
  'turned text': ['a\u202ecrm.mrc', 'a\u2067b.mrc', '\u200fa.mrc', '\u061ca.mrc'],
  'line ends of Unicode': ['a\u2028b.mrc', 'a\u2029b.mrc'],
  'devices of Windows': ['CON.mrc', 'nul.mrc', 'Com1.tar.mrc', 'LPT9.mrc', 'aux .mrc'],
  'what is too long': [`${'n'.repeat(252)}.mrc`, `${'ü'.repeat(126)}.mrc`],
};
for (const [what, names] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, async () => {
    for (const filename of names) {
      const answer = await call('POST', '/uploads/init', { json: initRequest({ filename }) });
      assertFailure(answer, 'invalid_filename');
    }
  });
}

const TAKEN = [
  'plain.mrc',
  ' -rf ; $(touch x) `id` | & > <.mrc',
  '%2e%2e%2fa.mrc',
  '"quoted"; filename=evil.exe.mrc',
  "it's*(1).mrc",
  'Müller 日本語 😀.mrc',
  'שלום.mrc',
  '.hidden.mrc',
  'n'.repeat(251).concat('.mrc'),
];
for (const filename of TAKEN) {
  test(`names: taken, and one step in a folder of its own: ${filename.slice(0, 40)}`, async () => {
    const file = await publish(call, makeMrc(2000), { filename });
    assert.equal(file.filename, filename);
    assert.deepEqual(await readdir(join(server.dataDir, 'files', file.file_id)), [filename]);
    const { headers } = await call('HEAD', `/files/${file.file_id}/content`);
    assert.equal(readDisposition(headers['content-disposition'] ?? ''), filename);
    // A token of RFC 8187 and a quoted string of ASCII without anything to escape: no client reads them in two ways.
    assert.match(
      headers['content-disposition'] ?? '',
      /^attachment; filename="[\x20\x21\x23\x24\x26-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[\w.~!$&+^`|%-]*$/,
    );
  });
}

test('a name has one spelling: NFC', async () => {
  const file = await publish(call, makeMrc(2000), { filename: 'Mu\u0308ller.mrc' });
  assert.equal(file.filename, 'M\u00fcller.mrc');
  assert.deepEqual(await readdir(join(server.dataDir, 'files', file.file_id)), ['M\u00fcller.mrc']);
});

for (const filename of ['page.html', 'picture.svg']) {
  test(`names: a browser runs nothing of a file: ${filename}`, async () => {
    const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    const { file_id } = await publish(call, bytes, { filename });
    const { headers, body } = await call('GET', `/files/${file_id}/content`);
    assert.deepEqual(body, bytes);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['content-security-policy'], "sandbox; default-src 'none'");
    assert.match(headers['content-disposition'] ?? '', /^attachment;/);
    assert.doesNotMatch(headers['content-type'] ?? '', /html|svg|script/);
  });
}

test('names: no name is in the log', async () => {
  const file = await publish(call, makeMrc(2000), { filename: 'SECRET-PROTEIN.mrc' });
  await call('GET', `/files/${file.file_id}/content`);
  await call('DELETE', `/files/${file.file_id}`);
  assert.ok(!server.stderr.includes('SECRET-PROTEIN'));
  const months = await readdir(join(server.dataDir, 'audit'));
  for (const month of months) {
    assert.ok(!(await readFile(join(server.dataDir, 'audit', month), 'utf8')).includes('SECRET-PROTEIN'));
  }
});

/** The name that a client of RFC 6266 takes. */
function readDisposition(value: string): string {
  return decodeURIComponent(/filename\*=UTF-8''(\S*)$/.exec(value)?.[1] ?? '');
}
