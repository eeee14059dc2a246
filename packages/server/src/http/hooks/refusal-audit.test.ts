import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry } from '../../ops/audit.ts';
import { RefusedLines } from './refusal-audit.ts';

function refused(subject: string | null, request_id: string): AuditEntry {
  const time = '2026-01-02T03:04:05.678Z';
  return { time, request_id, subject, address: '10.0.0.7', action: 'file.delete', outcome: 'refused' };
}

/** The number of calls in lines. */
const received = (lines: readonly AuditEntry[]) => lines.reduce((sum, { omitted = 0 }) => sum + 1 + omitted, 0);

test('refused calls: a subject has twenty lines in a second, and a later line counts the others', () => {
  const lines = new RefusedLines();
  const written: AuditEntry[] = [];
  const call = (subject: string | null, count: number, nowMs: number) => {
    for (let at = 0; at < count; at++) {
      const line = lines.admit(refused(subject, `${subject} ${nowMs} ${at}`), nowMs);
      if (line) written.push(line);
    }
  };
  call('ada', 12_000, 5_000);
  call('bob', 3, 5_500);
  call(null, 50, 5_500);
  assert.equal(written.length, 20 + 3 + 20);
  call('ada', 1, 6_000);
  assert.equal(written.at(-1)?.omitted, 11_980);
  assert.equal(received(written), 12_000 + 1 + 3 + 20);
});

test('refused calls: omitted calls get a line although no call follows', () => {
  const lines = new RefusedLines();
  for (let at = 0; at < 100; at++) lines.admit(refused('ada', `r${at}`), 5_000);
  for (let at = 0; at < 21; at++) lines.admit(refused('bob', `b${at}`), 5_000);
  assert.deepEqual(lines.takeOmitted(5_999), []);
  const due = lines.takeOmitted(6_000);
  assert.deepEqual(
    due.map(({ request_id, omitted }) => [request_id, omitted]),
    [
      ['r99', 79],
      ['b20', undefined],
    ],
  );
  assert.deepEqual(lines.takeOmitted(7_000), []);
});

test('refused calls: at the end all omitted calls get a line', () => {
  const lines = new RefusedLines();
  for (let at = 0; at < 30; at++) lines.admit(refused('ada', `r${at}`), 5_000);
  assert.equal(received(lines.takeOmitted(Number.POSITIVE_INFINITY)), 10);
});
