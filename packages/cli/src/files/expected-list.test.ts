import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../process/exit.ts';
import { parseExpected } from './expected-list.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const parse = (text: string, prefix = '', platform: NodeJS.Platform = 'linux') =>
  parseExpected(text, { name: 'list', prefix, platform });

test('expected list: paths, lines of sha256sum and JSON objects, with any line ends', () => {
  const lines = [
    './grid1//a.mrc',
    `${A}  b.mrc`,
    `${A.toUpperCase()} *c  d.mrc`,
    `\\${B}  e\\\\f\\ng`,
    `SHA256 (h (1).mrc) = ${B}`,
    '',
    `{"path": "i.mrc", "size": 4096}`,
    `{"path": "j.mrc", "sha256": "${A}", "filename": "other"}`,
    'grid1/a.mrc',
    '# k',
  ];
  const files = [
    { path: 'grid1/a.mrc' },
    { path: 'b.mrc', sha256: A },
    { path: 'c  d.mrc', sha256: A },
    // The server removes control characters from paths, too.
    { path: 'e\\fg', sha256: B },
    { path: 'h (1).mrc', sha256: B },
    { path: 'i.mrc', size: 4096 },
    { path: 'j.mrc', sha256: A },
    { path: '# k' },
  ];
  assert.deepEqual(parse(lines.join('\n')), files);
  assert.deepEqual(parse(lines.join('\r\n')), files);
});

test('expected list: folders in front, and those of Windows', () => {
  assert.deepEqual(parse('a.mrc', '/s7/'), [{ path: 's7/a.mrc' }]);
  assert.deepEqual(parse('grid1\\a.mrc', 's7', 'win32'), [{ path: 's7/grid1/a.mrc' }]);
  assert.deepEqual(parse('grid1\\a.mrc'), [{ path: 'grid1\\a.mrc' }]);
});

test('expected list: what cannot be expected is refused with its line', () => {
  for (const [text, message] of [
    ['', /^list names no file$/],
    ['\n\r\n', /^list names no file$/],
    ['a\n/data/a.mrc', /^list: line 2: \/data\/a.mrc is absolute/],
    ['C:\\data\\a.mrc', /^list: line 1: .* is absolute/],
    ['a/../b', /leads out of its folder/],
    ['./', /line 1: the path is empty/],
    [`a.mrc\n${A}  a.mrc`, /^list: line 2: a.mrc is in line 1 as another file$/],
    ['{"path": "a.mrc", "size": -1}', /^list: line 1: this is no object with path/],
    ['{a.mrc', /^list: line 1: this is no object with path/],
    ['x'.repeat(1025), /has 1025 characters; 1024 are allowed/],
    [Array.from({ length: 200_001 }, (_, at) => `f${at}`).join('\n'), /more than the 200000 files/],
  ] as const) {
    assert.throws(() => parse(text), { constructor: UsageError, message });
  }
});
