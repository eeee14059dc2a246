import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lines } from './lines.ts';
import { Output } from './output.ts';
import { Tally } from './tally.ts';

/** Keeps what would be printed. */
class TestOutput extends Output {
  readonly lines: string[] = [];

  override note(text: string | readonly string[]): void {
    if (!this.json) this.lines.push(...[text].flat());
  }

  override event(value: object): void {
    if (this.json) this.lines.push((value as { event: string }).event);
  }
}

function begin(t: { mock: { method: typeof import('node:test').mock.method } }, json: boolean) {
  const clock = { ms: 0 };
  t.mock.method(performance, 'now', () => clock.ms);
  const output = new TestOutput(json);
  const tally = new Tally(2000, 2000 * 1024);
  return { clock, output, tally, lines: new Lines(output, tally) };
}

test('lines: with many files the total is printed at intervals, and no line for fast files', (t) => {
  const { clock, output, tally, lines } = begin(t, false);
  for (let file = 0; file < 1000; file++) {
    const transfer = lines.begin(`${file}.mrc`, 1024);
    const follow = tally.follow();
    transfer.update(0, 'planning', null, 0);
    clock.ms += 21;
    follow({ storedBytes: 1024, resumedBytes: 0, sentBytes: 1024, savedBytes: 0, retries: 0 });
    transfer.update(1024, 'done', null, 1024);
    transfer.end();
    tally.done++;
  }
  assert.equal(output.lines.length, 2);
  assert.match(output.lines[1] as string, /^9\d\d of 2000 files, 4\d% of 1\.95 MiB, 4\d\.\d KiB\/s, 2\d s left$/);
});

test('lines: an error is printed at once, a slow file at intervals', (t) => {
  const { clock, output, lines } = begin(t, false);
  const transfer = lines.begin('a.mrc', 1000, 'grid/a.mrc');
  transfer.update(0, 'sending', null);
  transfer.update(0, 'sending', 'no connection');
  clock.ms += 5000;
  transfer.update(0, 'sending', 'no connection');
  assert.deepEqual(output.lines, ['grid/a.mrc: waiting: no connection, 0% of 1000 B']);
  clock.ms += 20_000;
  transfer.update(500, 'sending', 'no connection');
  assert.equal(output.lines.filter((line) => line.startsWith('grid/a.mrc')).length, 2);
});

test('lines: --json prints every state, and progress twice a second', (t) => {
  const { clock, output, lines } = begin(t, true);
  const transfer = lines.begin('a.mrc', 1000);
  transfer.update(0, 'planning', null);
  for (let at = 1; at <= 100; at++) {
    clock.ms += 10;
    transfer.update(at, 'sending', null);
  }
  assert.deepEqual(output.lines, ['progress', 'progress', 'total', 'progress', 'total']);
});
