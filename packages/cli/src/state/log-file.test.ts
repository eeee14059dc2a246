import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogFile, LogFollower, readLastLines } from './log-file.ts';

function makePath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'log');
}

const texts = (lines: readonly string[]) => lines.map((line) => line.slice(line.indexOf(' ') + 1));

test('log: each line has the time; its size is bounded, and the newest lines are kept', (t) => {
  const path = makePath(t);
  const log = new LogFile(path, 1000);
  log.write('first\nsecond');
  assert.match(readFileSync(path, 'utf8'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d first\n\S+ second\n$/);
  for (let count = 0; count < 500; count++) log.write(`line ${count}`);
  const files = readdirSync(join(path, '..')).sort();
  assert.deepEqual(files, ['log', 'log.1', 'log.2', 'log.3', 'log.4']);
  for (const file of files) assert.ok(statSync(join(path, '..', file)).size <= 1000);
  assert.deepEqual(
    texts(readLastLines(path, 60)),
    Array.from({ length: 60 }, (_, at) => `line ${440 + at}`),
  );
  assert.ok(readLastLines(path, 10_000).length > 100);
  // The next process continues the file.
  new LogFile(path, 1000).write('after a restart');
  assert.deepEqual(texts(readLastLines(path, 2)), ['line 499', 'after a restart']);
});

test('log: lines that cannot be written are counted when it works again', (t) => {
  const path = makePath(t);
  const log = new LogFile(path);
  mkdirSync(path);
  log.write('lost\nlost too');
  rmSync(path, { recursive: true });
  log.write('written');
  assert.deepEqual(texts(readLastLines(path, 9)), ['2 lines could not be written', 'written']);
});

test('log: where it cannot be renamed, it does not grow without end', (t) => {
  const path = makePath(t);
  // A folder that is not empty is in the way.
  for (let number = 1; number <= 4; number++) mkdirSync(`${path}.${number}/x`, { recursive: true });
  const log = new LogFile(path, 10_000);
  for (let count = 0; count < 60; count++) log.write('x'.repeat(100_000));
  const { size } = statSync(path);
  assert.ok(size > 10_000 && size <= 4 * 1024 * 1024, `${size}`);
});

test('log: a follower gets every line once, across renames', (t) => {
  const path = makePath(t);
  const log = new LogFile(path, 2000);
  log.write('before');
  const follower = new LogFollower(path);
  const got: string[] = [];
  for (let count = 0; count < 300; count++) {
    log.write(`line ${count}`);
    if (count % 7 === 0) got.push(...texts(follower.next()));
  }
  got.push(...texts(follower.next()));
  assert.deepEqual(
    got,
    Array.from({ length: 300 }, (_, at) => `line ${at}`),
  );
  assert.deepEqual(follower.next(), []);
});
