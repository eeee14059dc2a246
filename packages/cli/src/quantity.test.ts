import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from './exit.ts';
import { collectPair, parseCount, parseDuration, parseSize } from './quantity.ts';

test('reads sizes, durations, counts and pairs', () => {
  assert.deepEqual(['1', '64KiB', '1.5 GiB', '2tib'].map(parseSize), [1, 65_536, 1.5 * 1024 ** 3, 2 * 1024 ** 4]);
  assert.deepEqual(['30s', '5m', '12h', '7d'].map(parseDuration), [30, 300, 43_200, 604_800]);
  assert.equal(parseCount('16', 16), 16);
  assert.deepEqual(collectPair('a=b=c', { x: '' }), { x: '', a: 'b=c' });
});

test('refuses everything else', () => {
  const wrong: [(text: string) => unknown, string[]][] = [
    [parseSize, ['', '0', '-1', '1.5', '1 MB', '0x10', '9000TiB00']],
    [parseDuration, ['', '0s', '5', '1.5h', '-1d', '1w']],
    [(text) => parseCount(text, 16), ['', '0', '17', '1.5', 'x']],
    [collectPair, ['', 'a', '=b']],
  ];
  for (const [parse, texts] of wrong) for (const text of texts) assert.throws(() => parse(text), UsageError, text);
});
