/** `--meta` of the last run applies, also when it resumes an earlier upload. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { parseLines, TestBench, Wire } from '../testing/test-process.ts';

type Event = Record<string, unknown> & Partial<FileRecord> & { event: string };

let bench: TestBench;

before(async () => {
  bench = await TestBench.start({ CRYOLIFT_PART_SIZE: '64KiB' });
});

after(() => bench.stop());

test('metadata: the last run replaces it and prints the change; a run without --meta keeps it', async () => {
  const voxels = randomBytes(2_000_000);
  await writeFile(
    bench.path('a.mrc'),
    Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]),
  );
  const runHalf = async (...meta: string[]) => {
    const wire = await Wire.to(bench.url);
    const held = wire.holdAfter(1_000_000);
    const args = ['upload', '--json', ...meta.flatMap((pair) => ['--meta', pair]), 'a.mrc'];
    const running = bench.begin(args, { CRYOLIFT_SERVER: wire.url });
    await Promise.race([held, running.ended]);
    running.child.kill('SIGKILL');
    await running.ended;
    wire.close();
  };
  await runHalf('session=A', 'grid=7');
  const ended = await bench.run(['upload', '--json', '--meta', 'session=B', 'a.mrc']);
  assert.equal(ended.code, 0, ended.stdout);
  const events = parseLines<Event>(ended.stdout);
  const changed = events.find(({ event }) => event === 'metadata_changed');
  assert.deepEqual(
    [changed?.before, changed?.metadata],
    [
      { session: 'A', grid: '7' },
      { session: 'B', grid: '7' },
    ],
  );
  assert.deepEqual(events.find(({ event }) => event === 'done')?.metadata, { session: 'B', grid: '7' });
});
