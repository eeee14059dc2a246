import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FolderReport, WatchReport } from '../state/report.ts';
import { bigText } from './font.ts';
import type { Paint } from './paint.ts';
import { render, type View } from './render.ts';

const NOW = Date.parse('2026-11-30T10:15:00Z');
const plain: Paint = (_colour, text) => text;
const SIZE = { columns: 80, rows: 24 };

const IDLE: FolderReport = {
  folder: '/data/krios',
  state: 'idle',
  waiting: 0,
  uploading: 0,
  done: 120,
  failed: 0,
  refused: 0,
  unreadable: 0,
  bytes_per_second: 0,
  free_bytes: null,
  disk_full_at: null,
  active_at: '2026-11-30T10:05:00Z',
  last_success: { path: 'grid1/a.mrc', at: '2026-11-30T10:05:00Z' },
  last_error: null,
  problem: null,
};
const UPLOADING: FolderReport = {
  ...IDLE,
  state: 'uploading',
  uploading: 3,
  waiting: 12,
  bytes_per_second: 45 * 2 ** 20,
};
const AWAY = {
  ...IDLE,
  folder: '/mnt/share',
  state: 'problem',
  problem: { code: 'folder_away', message: 'The folder cannot be read.', hint: 'Connect the share.' },
} as const;

function viewOf(folders: readonly FolderReport[], process: View['process'] = 'running'): View {
  const times = { started_at: '2026-11-30T08:00:00Z', written_at: '2026-11-30T10:14:59Z' };
  const report: WatchReport = { version: 1, pid: 1, config: '/etc/c.toml', ...times, folders };
  return { config: '/etc/c.toml', process, report, lastLine: process === 'running' ? null : 'a last line', nowMs: NOW };
}

/** True when the lines of these letters are in the view, one below the other. */
function hasLetters(lines: readonly string[], text: string): boolean {
  const letters = bigText(text).map((line) => ` ${line.trimEnd()}`);
  return lines.some((_, at) => letters.every((line, row) => lines[at + row] === line));
}

test('live view: one folder on 80 × 24 has its state and number in letters of five rows', () => {
  const lines = render(viewOf([UPLOADING]), SIZE, plain);
  assert.equal(lines.length, 24);
  assert.ok(hasLetters(lines, 'UPLOADING'), lines.join('\n'));
  assert.ok(hasLetters(lines, '3 FILES'));
  const text = lines.join('\n');
  assert.match(text, /UPLOADING: 3 FILES {3}\/data\/krios/);
  assert.match(text, /3 uploading at 45\.0 MiB\/s, 12 waiting, 120 uploaded since/);
  assert.match(text, /Last upload .*: grid1\/a\.mrc/);
});

test('live view: a folder without work says since when', () => {
  const lines = render(viewOf([IDLE]), SIZE, plain);
  assert.ok(hasLetters(lines, 'ALL UPLOADED'));
  assert.match(lines.join('\n'), /Nothing new since .* \(10 min 0 s\)/);
});

test('live view: of several folders, the problem comes first and large, with what to do', () => {
  const lines = render(viewOf([IDLE, UPLOADING, AWAY]), SIZE, plain);
  assert.ok(hasLetters(lines, 'PROBLEM'), lines.join('\n'));
  assert.match(lines[1] ?? '', /PROBLEM: NO FOLDER {3}\/mnt\/share/);
  const text = lines.join('\n');
  assert.match(text, /What to do: Connect the share\./);
  assert.ok(text.indexOf('UPLOADING: 3') < text.indexOf('ALL UPLOADED'));
});

for (const [process, word] of [
  ['stopped', 'NOT RUNNING'],
  ['silent', 'NO ANSWER'],
] as const) {
  test(`live view: ${word}, with the last line of the log`, () => {
    const lines = render(viewOf([IDLE], process), SIZE, plain);
    assert.ok(hasLetters(lines, word), lines.join('\n'));
    assert.match(lines.join('\n'), /What to do: .*\n[\s\S]*Last line of its log: a last line/);
    assert.doesNotMatch(lines.join('\n'), /ALL UPLOADED/);
  });
}

test('live view: nothing is wider or higher than the terminal, and no folder is left out silently', () => {
  const long = { ...AWAY, folder: '/x'.repeat(300), problem: { ...AWAY.problem, message: 'm '.repeat(300) } };
  for (const columns of [40, 80, 200]) {
    for (const rows of [5, 10, 24, 60]) {
      for (const count of [1, 2, 3, 5, 8, 30]) {
        const folders = Array.from({ length: count }, (_, at) =>
          at % 3 === 0 ? long : at % 3 === 1 ? UPLOADING : IDLE,
        );
        const lines = render(viewOf(folders), { columns, rows }, plain);
        assert.ok(lines.length <= rows, `${lines.length} of ${rows}`);
        for (const line of lines) assert.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`);
        const text = lines.join('\n');
        const shown = text.match(/(PROBLEM|UPLOADING|ALL UPLOADED)\b(?=.{0,16} {2})/g)?.length ?? 0;
        if (rows === 24 && columns === 80 && shown < count)
          assert.match(text, /and \d+ more folders, \d+ with problems/);
      }
    }
  }
});

test('live view: control characters of names are written out', () => {
  const evil = { ...AWAY, folder: '/data/\x1b[2J', problem: { ...AWAY.problem, message: 'm\x07\n' } };
  const text = render(viewOf([evil]), SIZE, plain).join('\n');
  assert.ok(!text.includes('\x1b') && !text.includes('\x07'));
  assert.match(text, /\\x1b\[2J/);
});
