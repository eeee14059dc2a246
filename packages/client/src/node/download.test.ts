import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { Api } from '../api.ts';
import { ServerError, SourceError } from '../failures.ts';
import type { WireReply } from '../ports.ts';
import { digest, failure, lost } from '../test-server.ts';
import { download, hashPath } from './download.ts';

/** Three ranges, the last one short. */
const BYTES = randomBytes(2 * 8 * 1024 * 1024 + 1000);
const SHA256 = digest(BYTES).toString('hex');
const FILE = { file_id: 'f1', size: BYTES.length, sha256: SHA256 } as FileRecord;

let folder: string;
let path: string;
let asked: string[];
let tamper: (range: string, answer: () => WireReply) => WireReply;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-client-'));
  path = join(folder, 'back.mrc');
  asked = [];
  tamper = (_range, answer) => answer();
  mock.restoreAll();
  mock.method(Math, 'random', () => 0);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const api = new Api(
  {
    async send({ headers, signal }) {
      signal?.throwIfAborted();
      const range = headers.range ?? '';
      asked.push(range);
      return tamper(range, () => {
        const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
        assert.equal(headers['if-range'], `"${SHA256}"`);
        return { status: 206, headers: {}, body: BYTES.subarray(Number(start), Number(end) + 1) };
      });
    },
  },
  async () => 'token',
);

function integrity(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'integrity';
}

/** Interrupts a download in which one range has come. */
async function downloadOneRange(): Promise<void> {
  const controller = new AbortController();
  asked = [];
  tamper = (_range, answer) => {
    if (asked.length > 1) controller.abort(new Error('Ctrl-C'));
    controller.signal.throwIfAborted();
    return answer();
  };
  await assert.rejects(download(api, FILE, path, { parallel: 1, signal: controller.signal }), /Ctrl-C/);
  assert.ok((await readdir(folder)).includes('back.mrc.part.json'));
  asked = [];
  tamper = (_range, answer) => answer();
}

test('gets each range once, and leaves nothing but the file', async () => {
  const seen: number[] = [];
  await download(api, FILE, path, { onProgress: (doneBytes) => seen.push(doneBytes) });
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(asked.length, 3);
  assert.deepEqual(await readdir(folder), ['back.mrc']);
  assert.deepEqual([seen.at(0), seen.at(-1)], [0, BYTES.length]);
  assert.equal(await hashPath(path), SHA256);
});

test('goes on where an interrupted download ended', async () => {
  await downloadOneRange();
  await download(api, FILE, path);
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(asked.length, 2);
});

test('begins anew when the partial file is gone, or is of another file', async () => {
  await downloadOneRange();
  await rm(`${path}.part`);
  await download(api, FILE, path);
  assert.equal(asked.length, 3);

  await downloadOneRange();
  const journal = await readFile(`${path}.part.json`, 'utf8');
  await writeFile(`${path}.part.json`, journal.replace(SHA256, '0'.repeat(64)));
  await download(api, FILE, path);
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(asked.length, 3);
});

test('asks again for a range whose reply was lost or short', async () => {
  tamper = (_range, answer) => {
    if (asked.length === 1) lost();
    const reply = answer();
    return asked.length === 2 ? { ...reply, body: reply.body.subarray(1) } : reply;
  };
  await download(api, FILE, path);
  assert.ok((await readFile(path)).equals(BYTES));
  assert.equal(asked.length, 5);
});

test('bytes that are not the file are never taken for it', async () => {
  tamper = (_range, answer) => ({ ...answer(), body: randomBytes(answer().body.length) });
  await assert.rejects(download(api, FILE, path), integrity);
  assert.deepEqual(await readdir(folder), []);
});

test('a whole file instead of a range is refused', async () => {
  tamper = () => ({ status: 200, headers: {}, body: BYTES });
  await assert.rejects(download(api, FILE, path), integrity);
  assert.equal((await readdir(folder)).includes('back.mrc'), false);
});

test('a file that was deleted meanwhile ends the download', async () => {
  tamper = () => failure('file_not_found');
  await assert.rejects(
    download(api, FILE, path),
    (error) => error instanceof ServerError && error.code === 'file_not_found',
  );
});

test('an empty file is one too', async () => {
  const empty = { ...FILE, size: 0, sha256: digest(Buffer.alloc(0)).toString('hex') };
  await download(api, empty, path);
  assert.equal((await readFile(path)).length, 0);
});
