import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../process/exit.ts';
import { between, collectPair, parseCount, parseScrubRate, secondsBetween } from './quantity.ts';

const size = between('size', '1b', '8191TiB');
const seconds = secondsBetween('1s', '3650d');

test('quantity: reads sizes, durations, counts and pairs', () => {
  assert.deepEqual(['1', '64KiB', '1.5 GiB', '2tib'].map(size), [1, 65_536, 1.5 * 1024 ** 3, 2 * 1024 ** 4]);
  assert.deepEqual(['1.1MiB', '1MB'].map(size), [1_153_434, 1_000_000]);
  assert.deepEqual(['30s', '5m', '12h', '7d', '1w', '1.5h'].map(seconds), [30, 300, 43_200, 604_800, 604_800, 5_400]);
  assert.equal(parseCount('16', 16), 16);
  assert.equal(parseScrubRate('1MiB'), 1024 ** 2);
  assert.deepEqual(collectPair('a=b=c', { x: '' }), { x: '', a: 'b=c' });
});

test('quantity: refuses all other values', () => {
  const wrong: [(text: string) => unknown, string[]][] = [
    [size, ['', '0', '-1', '1.5', '0x10', '9000TiB', '9000TiB00']],
    [seconds, ['', '0s', '5', '-1d', '999ms', '1500ms', '3651d', '99999999d']],
    [(text) => parseCount(text, 16), ['', '0', '17', '1.5', 'x']],
    [parseScrubRate, ['1048575', '1KiB']],
    [collectPair, ['', 'a', '=b']],
  ];
  for (const [parse, texts] of wrong) for (const text of texts) assert.throws(() => parse(text), UsageError, text);
});
