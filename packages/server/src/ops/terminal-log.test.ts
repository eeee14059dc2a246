import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shorten } from './terminal-log.ts';

test('terminal log: a line of JSON becomes a short line of text, without control characters', () => {
  const time = new Date(2026, 10, 30, 14, 3, 21).toISOString();
  const line = JSON.stringify({
    level: 40,
    time,
    err: { message: 'no space', stack: 'at x' },
    free_bytes: 10,
    a: 'b\x1b[2J',
    msg: 'not swept',
  });
  assert.equal(shorten(`${line}\n`), '14:03:21 warning not swept (no space free_bytes=10 a=b?[2J)\n');
  assert.equal(shorten(`${JSON.stringify({ level: 30, time, msg: 'started' })}\n`), '14:03:21 info started\n');
  assert.equal(shorten('no JSON\n'), 'no JSON\n');
});
