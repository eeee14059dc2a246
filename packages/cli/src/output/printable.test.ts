/** No command prints control characters of a server, a file or a name to a terminal. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { answerWith, startHostile } from '../testing/test-hostile.ts';
import { runInFolder } from '../testing/test-process.ts';
import { printable, printableJson } from './printable.ts';

/** Clipboard (OSC 52), title, colour by C1, a forged line, an overwritten line, reversed text. */
const EVIL = '\x1b]52;c;ZXZpbA==\x07\x1b]0;evil\x1b\\\x9b31m\nINJECTED\rOVER\u202egpj\x7f';
// biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for control characters.
const RAW = /[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|^\s*(INJECTED|OVER)/m;

const home = await mkdtemp(join(tmpdir(), 'cryolift-evil-'));
after(() => rm(home, { recursive: true }));
await mkdir(join(home, 'in'));
await mkdir(join(home, 'data/audit'), { recursive: true });
await writeFile(
  join(home, 'in/a.mrc'),
  Buffer.concat([buildHeader({ nx: 16, ny: 16, nz: 1, mode: 0 }), Buffer.alloc(256)]),
);
await writeFile(join(home, `in/${EVIL.replaceAll('\x1b\\', '')}.mrc`), 'no MRC');
const labelled = buildHeader({ nx: 16, ny: 16, nz: 1, mode: 0, label: [EVIL] });
await writeFile(join(home, 'labels.mrc'), Buffer.concat([labelled, Buffer.alloc(256)]));
const line = { time: new Date().toISOString(), subject: EVIL, address: EVIL, action: EVIL, outcome: EVIL };
await writeFile(join(home, `data/audit/${line.time.slice(0, 7)}.jsonl`), `${JSON.stringify(line)}\n`);

const DIGEST = 'a'.repeat(64);
const TIME = '2026-11-29T00:00:00.000Z';
const warnings = [{ code: 'x', message: EVIL }];
const file = {
  file_id: EVIL,
  owner: EVIL,
  filename: EVIL,
  size: 1,
  sha256: DIGEST,
  parts_sha256: DIGEST,
  created_at: EVIL,
  warnings,
  metadata: { [EVIL]: EVIL },
};
const upload = {
  upload_id: EVIL,
  owner: EVIL,
  status: EVIL,
  filename: EVIL,
  size: 1280,
  part_size: 65_536,
  part_count: 1,
  received_parts: 0,
  received_bytes: 0,
  missing_parts: [[0, 0]],
  progress: 0,
  warnings,
  failure: { message: EVIL },
  created_at: EVIL,
  updated_at: EVIL,
  expires_at: EVIL,
};
const page = (item: object) => ({ items: [item], next_cursor: null });
const error = { code: EVIL, message: EVIL, hint: EVIL, retryable: false, request_id: EVIL, details: { [EVIL]: EVIL } };
const delivery = { seq: 1, type: EVIL, upload_id: EVIL, status: EVIL, attempts: 1, created_at: TIME, trouble: EVIL };
const scrub = {
  status: 'completed',
  files: 1,
  checked_files: 1,
  checked_bytes: 1,
  ok: 0,
  damaged: 1,
  missing: 0,
  unreadable: 0,
  faults: [{ file_id: EVIL, fault: EVIL, message: EVIL }],
};
const link = { link_id: EVIL, url: EVIL, token: EVIL, expires_at: EVIL };

/** @param refuse refuses all requests except the one for the accepted types. */
function answer(refuse: boolean): RequestListener {
  const limits = { part_size: 65_536, mrc_types: ['mrc'], accepted_types: [EVIL] };
  const bodies: readonly [RegExp, object][] = [
    [/^\/uploads\?/, page(upload)],
    [/^\/files\?/, page(file)],
    [/^\/admin\/sessions/, page(upload)],
    [/^\/webhooks/, page(delivery)],
    [/^\/admin\/sweep/, { expired: EVIL, deleted: EVIL, leftovers: EVIL, forgotten: EVIL }],
    [/^\/admin\/scrub/, scrub],
    [/^\/links/, link],
    [/^\/files\//, file],
    [/^\/uploads\//, upload],
  ];
  return (request, response) => {
    const path = request.url ?? '';
    if (path === '/limits') return void answerWith(limits)(request, response);
    if (refuse) return void answerWith(error, 400)(request, response);
    if (path.endsWith('/events')) {
      const event = {
        type: 'cryolift.upload.completed',
        subject: EVIL,
        time: EVIL,
        data: { ...upload, status: 'completed' },
      };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.end(`id: 1\ndata: ${JSON.stringify(event)}\n\n`);
    }
    const body = bodies.find(([pattern]) => pattern.test(path))?.[1] ?? {};
    answerWith(body)(request, response);
  };
}

const COMMANDS = [
  'ls',
  'ls -r --long',
  'status u1',
  'events u1',
  'cancel u1',
  'rm f1',
  'verify in/a.mrc f1',
  'download f1',
  'download f1 -o x.mrc',
  'download -r f1',
  'share f1',
  'quota',
  'link',
  'upload in/a.mrc',
  'upload in',
  'watch in --once --settle 1s',
  'doctor',
  'admin sessions',
  'admin sweep',
  'admin scrub',
  'admin deliveries --all',
];
const LOCAL = ['audit --data-dir data', 'inspect labels.mrc', 'inspect in/*INJ*'];

for (const command of [...COMMANDS, ...LOCAL]) {
  test(`printable: ${command} prints no control characters`, async (context) => {
    let said = '';
    for (const refuse of LOCAL.includes(command) ? [false] : [false, true]) {
      const url = await startHostile(context, answer(refuse));
      const env = { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 'any', HOME: home, NO_COLOR: '1' };
      for (const json of ['', ' --json']) {
        const { stdout, stderr } = await runInFolder(home, `timeout 120 $CRYOLIFT ${command}${json}`, env);
        assert.doesNotMatch(stdout, RAW, JSON.stringify(stdout));
        assert.doesNotMatch(stderr, RAW, JSON.stringify(stderr));
        if (json) for (const each of stdout.split('\n')) if (each) JSON.parse(each);
        said += stdout + stderr;
      }
    }
    // Control characters are printed escaped. Labels lose them when the header is read.
    if (!command.includes('labels')) assert.match(said, /\\x1b|\\u001b/, said);
  });
}

test('printable: bars print a name and a failure without control characters', async (context) => {
  for (const refuse of [false, true]) {
    const url = await startHostile(context, answer(refuse));
    const env = { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 'any', HOME: home };
    for (const command of ['download f1 -o y.mrc', 'upload in']) {
      const { stdout } = await runInFolder(home, `timeout 120 script -qec "$CRYOLIFT ${command}" /dev/null`, env);
      assert.match(stdout, /\\x1b|\\u202e/);
      for (const raw of ['\x1b]', '\x9b', '\x07', '\u202e', '\nINJECTED', '\rOVER'])
        assert.ok(!stdout.includes(raw), stdout);
    }
  }
});

test('printable: the result is one line with escaped control characters', () => {
  assert.equal(printable('a\x1b[31m\n\t\x9b\u202eé 😀'), 'a\\x1b[31m\\n\\t\\x9b\\u202eé 😀');
  assert.equal(printable(EVIL).match(RAW), null);
  assert.deepEqual(JSON.parse(printableJson({ [EVIL]: EVIL })), { [EVIL]: EVIL });
});

/** The other places that write bytes; all of them are text of the program. */
const WRITERS = ['output/bars.ts', 'process/finish.ts', 'output/output.ts', 'commands/completion.ts'];

test('printable: no command writes to a stream directly', async () => {
  const folder = join(import.meta.dirname, '..');
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.ts') || /test/.test(name) || WRITERS.includes(name)) continue;
    assert.doesNotMatch(await readFile(join(folder, name), 'utf8'), /process\.std(out|err)\.write|console\./, name);
  }
});
