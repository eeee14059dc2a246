import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBounded } from './quantity.ts';

const SIZE = { kind: 'size', min: '0', max: '9007199254740991' } as const;
const DURATION = { kind: 'duration', min: '0ms', max: '100000w' } as const;

test('size: a number with a unit, or bytes', () => {
  const sizes: [string, number][] = [
    ['0', 0],
    ['1', 1],
    ['10b', 10],
    ['8MiB', 8 * 1024 ** 2],
    ['8 mib', 8 * 1024 ** 2],
    [' 16TiB ', 16 * 1024 ** 4],
    ['1.5KiB', 1536],
    ['1.1MiB', 1_153_434],
    ['1.1GB', 1_100_000_000],
    ['500MB', 500e6],
    ['2kb', 2000],
    ['1PiB', 1024 ** 5],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseBounded(text, SIZE), bytes, text);
  const bad = ['', 'x', '-1', '+1', '1.', '.5', '1e3', '8M', '8 Mi B', 'MiB', '0x10', '1,000', '8 MiB/s', 'b'];
  for (const text of bad) assert.throws(() => parseBounded(text, SIZE), /is not a size like 8MiB/, text);
  for (const text of ['1.5', '0.5b']) assert.throws(() => parseBounded(text, SIZE), /no part of a byte/, text);
  for (const text of ['9007199254740992', '8PiB', `${'9'.repeat(400)}`]) {
    assert.throws(() => parseBounded(text, SIZE), /greater than anything/, text);
  }
});

test('duration: a number with a unit', () => {
  const durations: [string, number][] = [
    ['1ms', 1],
    ['30s', 30_000],
    ['1.15s', 1150],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1W', 604_800_000],
  ];
  for (const [text, ms] of durations) assert.equal(parseBounded(text, DURATION), ms, text);
  for (const text of ['', '30', '-1s', '1 fortnight', 's', '1d2h']) {
    assert.throws(() => parseBounded(text, DURATION), /is not a duration like/, text);
  }
  assert.throws(() => parseBounded('0.5ms', DURATION), /no part of 1 ms/);
});

test('bounds: both limits are allowed, and named in the error beyond them', () => {
  const bounds = { kind: 'size', min: '64KiB', max: '5GiB' } as const;
  for (const text of ['64KiB', '65536', '5GiB']) parseBounded(text, bounds);
  for (const text of ['65535', '5368709121', '0']) {
    assert.throws(() => parseBounded(text, bounds), /is not between 64KiB and 5GiB/);
  }
  for (const text of ['', '1.0', '-1', '1e0', ' 1', '0x1']) {
    assert.throws(() => parseBounded(text, { kind: 'number', min: '0', max: '9' }), /is not a whole number/, text);
  }
});

/** Values that only one of them accepted when server and command line each had their own parser. */
test('size and duration: settings and options accept the same values', () => {
  const sizes: [string, number][] = [
    ['1.5TiB', 1.5 * 1024 ** 4], // both
    ['500MB', 500e6], // the server
    ['2PiB', 2 * 1024 ** 5], // the server
    ['1.1MiB', 1_153_434], // neither: a fraction of a byte is rounded
  ];
  for (const [text, bytes] of sizes) assert.equal(parseBounded(text, SIZE), bytes, text);
  const durations: [string, number][] = [
    ['7d', 604_800_000], // both
    ['500ms', 500], // the server
    ['2w', 1_209_600_000], // the server
    ['1.5h', 5_400_000], // the server
  ];
  for (const [text, ms] of durations) assert.equal(parseBounded(text, DURATION), ms, text);
});
