/** A soak of some seconds. `npm run soak` has the hours. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeLeftovers } from '../reliability/volume.ts';
import { writeReport } from './report.ts';
import { runSoak } from './soak.ts';
import { sum } from './tally.ts';

const MIB = 1024 * 1024;
/** Half a minute where nothing else runs. */
const TIMEOUT_MS = 230_000;

test('soak: clients of several kinds and faults, and nothing is left at the end', {
  timeout: TIMEOUT_MS,
}, async (t) => {
  removeLeftovers();
  const out = mkdtempSync(join(tmpdir(), 'cryolift-soak-out-'));
  t.after(() => rmSync(out, { recursive: true }));
  const result = await runSoak({
    deployment: 'disk',
    seed: 5,
    durationMs: 12_000,
    clients: { upload: 1, tus: 1, resumable: 1, curl: 1, wire: 2 },
    mostBytes: 4 * MIB,
    pace: 0.1,
    meanFaultMs: 3_000,
    out,
  });
  assert.deepEqual(result.faults, [], readFileSync(join(out, 'notes.log'), 'utf8'));
  for (const kind of ['upload', 'tus', 'resumable', 'curl', 'wire'] as const) {
    const { started, right, otherwise } = result.tally[kind];
    assert.ok(started > 0 && right + otherwise === started, `${kind}: ${JSON.stringify(result.tally[kind])}`);
  }
  assert.ok(sum(result.tally, 'right') > 0);
  assert.ok(result.marks.length > 0);
  const samples = result.samples.filter(({ process, rows }) => process && rows);
  assert.ok(new Set(samples.map(({ process }) => process?.pid)).size > 1, 'there are samples of several processes');
  assert.ok(samples.some(({ process }) => process?.heapBytes && process.descriptors > 10 && process.threads > 5));
  assert.ok(samples.some(({ rows }) => rows?.uploads && rows.events));
  writeReport(out, result);
  const report = readFileSync(join(out, 'report.md'), 'utf8');
  assert.match(report, /^# Soak of 0.00 hours: right\n/);
  for (const [, picture] of report.matchAll(/!\[\w+\]\((\w+\.svg)\)/g)) {
    assert.match(readFileSync(join(out, picture as string), 'utf8'), /^<svg /);
  }
});
