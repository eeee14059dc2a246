import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import { checkBatch } from './batch-check.ts';
import type { FoundFile } from './found-files.ts';
import { NOTHING_KNOWN } from './known-files.ts';

const LIMITS = { mrc_types: ['mrc'], accepted_types: ['txt'], max_file_size: 10_000 } as Partial<Limits> as Limits;
const NEVER = new AbortController().signal;
const UNLIMITED = { bytes: null, files: null };

function found(name: string, content: BlobPart[], path: string | null = null): FoundFile {
  return { file: new File(content, name), path, handle: null };
}

function text(name: string, bytes: number, path: string | null = null): FoundFile {
  return found(name, [new Uint8Array(bytes)], path);
}

function check(files: readonly FoundFile[], changes: Partial<Parameters<typeof checkBatch>[1]> = {}) {
  const options = {
    limits: LIMITS,
    free: UNLIMITED,
    knownFiles: NOTHING_KNOWN,
    isCounted: () => false,
    onProgress: () => {},
    signal: NEVER,
    ...changes,
  };
  return checkBatch(files, options);
}

test('batch check: files are counted, and the refused ones are named with a reason', async () => {
  const short = found('short.mrc', [new Uint8Array(buildHeader({ nx: 10, ny: 10, nz: 1, mode: 0 }))]);
  const { files, report } = await check([text('a.txt', 5), short, text('b.docx', 7), text('c.txt', 20_000)]);
  assert.deepEqual([report.files, report.bytes], [4, 5 + 1024 + 7 + 20_000]);
  assert.deepEqual(
    report.refused.map(({ name }) => name),
    ['short.mrc', 'b.docx', 'c.txt'],
  );
  assert.match(report.refused[2]?.reason ?? '', /larger than this server accepts/);
  assert.deepEqual(
    files.map(({ check }) => check?.refusals.length),
    [0, 1, 1, 1],
  );
});

test('batch check: files that do not fit into the quota are refused, and smaller ones after them are not', async () => {
  const free = { bytes: 100, files: null };
  const { report, files } = await check([text('a.txt', 60), text('b.txt', 60), text('c.txt', 40)], { free });
  assert.deepEqual(
    report.refused.map(({ name }) => name),
    ['b.txt'],
  );
  assert.equal(files[1]?.check?.canForce, true);
  assert.deepEqual(report.free, { bytes: 0, files: null });
});

test('batch check: a limit of files counts, and a refused file takes nothing of the quota', async () => {
  const free = { bytes: null, files: 1 };
  const { report } = await check([text('no.docx', 5), text('a.txt', 5), text('b.txt', 5)], { free });
  assert.deepEqual(
    report.refused.map(({ name }) => name),
    ['no.docx', 'b.txt'],
  );
});

test('batch check: an upload that the server has begun takes no more of the quota', async () => {
  const free = { bytes: 10, files: 1 };
  const isCounted = ({ file }: FoundFile) => file.name === 'begun.txt';
  const { report } = await check([text('begun.txt', 500), text('a.txt', 10)], { free, isCounted });
  assert.deepEqual(report.refused, []);
});

test('batch check: files with the same path are counted, and all are kept', async () => {
  const files = [text('a.txt', 1, 'x/a.txt'), text('a.txt', 2, 'x/a.txt'), text('a.txt', 3, 'y/a.txt')];
  const { report, files: checked } = await check(files);
  assert.deepEqual([report.sameName, report.refused, checked.length], [1, [], 3]);
});

test('batch check: progress counts every file', async () => {
  const seen: number[] = [];
  await check([text('a.txt', 1), text('b.txt', 1)], { onProgress: (checked) => seen.push(checked) });
  assert.deepEqual(seen, [1, 2]);
});

test('batch check: an aborted check ends with the next header', async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('cancelled'));
  const files = Array.from({ length: 40 }, (_, index) => text(`${index}.txt`, 1));
  await assert.rejects(check(files, { signal: controller.signal, onProgress }), /cancelled/);
});

test('batch check: a file that the server has is named before it is sent, unless its upload goes on', async () => {
  const knownFiles = { compare: async () => 'same' as const };
  const fresh = await check([text('a.txt', 5)], { knownFiles });
  assert.match(fresh.report.refused[0]?.reason ?? '', /^Already there, same checksum/);
  const counted = await check([text('a.txt', 5)], { knownFiles, isCounted: () => true });
  assert.deepEqual(counted.report.refused, []);
});
