import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBoolean, parseDuration, parseInteger, parseList, parseSize, parseWebUrl } from './quantity.ts';

test('sizes', () => {
  const sizes: [string, number][] = [
    ['0', 0],
    ['1', 1],
    ['10b', 10],
    ['8MiB', 8 * 1024 ** 2],
    ['8 mib', 8 * 1024 ** 2],
    [' 16TiB ', 16 * 1024 ** 4],
    ['1.5KiB', 1536],
    ['500MB', 500e6],
    ['2kb', 2000],
    ['1GB', 1e9],
    ['1PiB', 1024 ** 5],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text);
  const bad = [
    '',
    'x',
    '-1',
    '+1',
    '1.',
    '.5',
    '1.5',
    '1e3',
    '8M',
    '8 Mi B',
    'MiB',
    '9007199254740992',
    '8PiB',
    '0x10',
    '1,000',
  ];
  for (const text of bad) assert.throws(() => parseSize(text), /is not a size like 8MiB/, text);
  assert.equal(parseSize('5', 5, 5), 5);
  for (const text of ['4', '6']) assert.throws(() => parseSize(text, 5, 5), /is not between 5 and 5 bytes/);
});

test('durations need a unit', () => {
  const durations: [string, number][] = [
    ['1ms', 1],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1W', 604_800_000],
  ];
  for (const [text, ms] of durations) assert.equal(parseDuration(text), ms, text);
  for (const text of ['', '30', '0s', '-1s', '0.5ms', '1 fortnight', 's', '9007199254740992ms']) {
    assert.throws(() => parseDuration(text), /is not a duration like 30s or 7d/, text);
  }
});

test('whole numbers, truths, lists and URLs', () => {
  assert.deepEqual(
    ['1', '5', '007'].map((text) => parseInteger(text, 1, 7)),
    [1, 5, 7],
  );
  for (const text of ['', '0', '8', '1.0', '-1', '1e0', ' 1']) {
    assert.throws(() => parseInteger(text, 1, 7), /whole number from 1 to 7/, text);
  }
  assert.deepEqual(['true', 'YES', '1', 'on'].map(parseBoolean), [true, true, true, true]);
  assert.deepEqual(['false', 'No', '0', 'OFF'].map(parseBoolean), [false, false, false, false]);
  for (const text of ['', 'y', '2', 'truth']) assert.throws(() => parseBoolean(text), /neither true nor false/, text);
  assert.deepEqual(parseList(' a,b  c,,\nd '), ['a', 'b', 'c', 'd']);
  assert.deepEqual(parseList(''), []);
  assert.equal(parseWebUrl('https://example.org/x'), 'https://example.org/x');
  for (const text of ['', 'example.org', 'ftp://example.org', 'file:///etc/passwd', 'http://', '//x']) {
    assert.throws(() => parseWebUrl(text), /is not an http or https URL/, text);
  }
});
