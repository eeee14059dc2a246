import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFolder } from '../db/test-rows.ts';
import { countDescriptors, needsProc } from '../storage/disk/test-descriptors.ts';
import { type AuditBounds, type AuditEntry, AuditLog } from './audit.ts';

const DAY_MS = 86_400_000;
const BOUNDS: AuditBounds = { maxFileBytes: 1_000, maxTotalBytes: 100_000, maxAgeMs: null };

function entryOf(request_id: string, time = '2026-11-05T00:00:00.000Z'): AuditEntry {
  return { time, request_id, subject: 'ada', address: '10.0.0.7', action: 'file.delete', outcome: 'ok' };
}

async function openLog(t: TestContext, bounds: Partial<AuditBounds> = {}) {
  const folder = join(await makeFolder(t), 'audit');
  const removed: string[] = [];
  const make = () => {
    const log = new AuditLog(folder, { ...BOUNDS, ...bounds }, (file) => removed.push(file));
    t.after(() => log.close());
    return log;
  };
  const names = async () => (await readdir(folder)).sort();
  return { folder, removed, names, make };
}

test('audit: a file that is full is followed by another, and no line is lost', async (t) => {
  const { folder, removed, names, make } = await openLog(t);
  for (let start = 0; start < 3; start++) {
    const log = make();
    for (let at = 0; at < 10; at++) await log.write(entryOf(`${start}-${at}`));
    await log.close();
  }
  assert.deepEqual((await names()).slice(0, 3), ['2026-11.jsonl', '2026-11_0002.jsonl', '2026-11_0003.jsonl']);
  const texts = await Promise.all((await names()).map((name) => readFile(join(folder, name), 'utf8')));
  for (const text of texts) assert.ok(text.length < 1_000 + 200);
  const ids = texts
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as AuditEntry).request_id);
  assert.deepEqual(
    ids,
    [0, 1, 2].flatMap((start) => Array.from({ length: 10 }, (_, at) => `${start}-${at}`)),
  );
  assert.deepEqual(removed, []);
});

test('audit: above the total size the oldest files are removed and reported', async (t) => {
  const { folder, removed, names, make } = await openLog(t, { maxTotalBytes: 3_000 });
  const log = make();
  await log.write(entryOf('october', '2026-10-31T00:00:00.000Z'));
  for (let at = 0; at < 60; at++) await log.write(entryOf(String(at)));
  const sizes = await Promise.all((await names()).map(async (name) => (await stat(join(folder, name))).size));
  assert.ok(sizes.reduce((sum, size) => sum + size) <= 3_000 + 1_200, String(sizes));
  assert.deepEqual(removed.slice(0, 2), ['2026-10.jsonl', '2026-11.jsonl']);
  const text = await readFile(join(folder, (await names()).at(-1) as string), 'utf8');
  assert.match(text, /"request_id":"59"/);
});

test('audit: files are removed for their age, unless the clock is in doubt, and never the newest', async (t) => {
  const { folder, removed, names, make } = await openLog(t, { maxAgeMs: 30 * DAY_MS });
  const log = make();
  for (const month of ['2026-08', '2026-09', '2026-10']) await log.write(entryOf(month, `${month}-01T00:00:00.000Z`));
  const nowMs = Date.UTC(2026, 10, 20);
  for (const [name, days] of [
    ['2026-08.jsonl', 81],
    ['2026-09.jsonl', 29],
    ['2026-10.jsonl', 99],
  ] as const) {
    const seconds = (nowMs - days * DAY_MS) / 1000;
    await utimes(join(folder, name), seconds, seconds);
  }
  await log.prune(null);
  assert.deepEqual(removed, []);
  await log.prune(nowMs);
  assert.deepEqual(removed, ['2026-08.jsonl']);
  assert.deepEqual(await names(), ['2026-09.jsonl', '2026-10.jsonl']);
});

test('audit: there is nothing to remove before the first line', async (t) => {
  await (await openLog(t)).make().prune(Date.now());
});

/** A log of 60 lines that has to remove an old file and cannot. */
async function openUnprunable(t: TestContext) {
  const opened = await openLog(t, { maxTotalBytes: 3_000 });
  await mkdir(join(opened.folder, '2026-01.jsonl'), { recursive: true });
  const log = opened.make();
  for (let at = 0; at < 60; at++) await log.write(entryOf(String(at)));
  return { ...opened, log };
}

test('audit: an old file that cannot be removed costs no line', async (t) => {
  const { folder, names, log } = await openUnprunable(t);
  const texts = await Promise.all((await names()).slice(1).map((name) => readFile(join(folder, name), 'utf8')));
  assert.equal(texts.join('').match(/\n/g)?.length, 60);
  await assert.rejects(log.prune(null));
});

test('audit: an old file that cannot be removed costs no descriptor', needsProc, async (t) => {
  const { folder } = await openUnprunable(t);
  assert.ok(countDescriptors(folder) <= 1);
});
