import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRetryAfter } from './retry-after.ts';

test('Retry-After: accepts only seconds or a date', () => {
  const now = 'Sun, 29 Nov 2026 10:00:00 GMT';
  const cases: readonly [string | null, number | null][] = [
    ['0', 0],
    ['7', 7],
    ['4294967', 4_294_967],
    ['Sun, 29 Nov 2026 10:02:00 GMT', 120],
    ['Sun, 29 Nov 2026 09:00:00 GMT', 0],
    [null, null],
    ['', null],
    ['soon', null],
    ['Infinity', null],
    ['1e9', null],
    ['0x10', null],
  ];
  for (const [value, seconds] of cases) assert.equal(readRetryAfter(value, now), seconds, String(value));
  const inAnHour = readRetryAfter(new Date(Date.now() + 3_600_000).toUTCString(), null);
  assert.ok(inAnHour !== null && inAnHour > 3000 && inAnHour <= 3600);
});
