/** The memory of `cryolift upload` does not grow with the size of parts or the number of files. */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { parseLines, TestBench } from '../testing/test-process.ts';

const MIB = 1024 * 1024;
const PART_BYTES = 128 * MIB;
const FILES = 4;
/** The documentation states 256 MiB for parts; the rest is Node.js and the program. */
const MOST_BYTES = 400 * MIB;
/** Prints the peak memory of the process in KiB. */
const REPORT = `process.on('exit', () => console.error('maxRSS ' + process.resourceUsage().maxRSS))`;

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(() => bench.stop());

test('upload: four files of one part of 128 MiB each stay within the documented memory', async () => {
  const names = Array.from({ length: FILES }, (_, at) => `${at}.mrc`);
  for (const name of names) {
    const file = await open(bench.path(name), 'w');
    await file.write(buildHeader({ nx: PART_BYTES - 1024, ny: 1, nz: 1, mode: 0 }));
    await file.truncate(PART_BYTES);
    await file.close();
  }
  const args = ['upload', '--json', '--part-size', '128MiB', ...names];
  const ended = await bench.run(args, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(REPORT)}` });
  assert.equal(ended.code, 0, ended.stderr);
  const done = parseLines<{ event: string }>(ended.stdout).filter(({ event }) => event === 'done');
  assert.equal(done.length, FILES);
  const mostBytes = Number(/maxRSS (\d+)/.exec(ended.stderr)?.[1]) * 1024;
  assert.ok(mostBytes < MOST_BYTES, `${Math.round(mostBytes / MIB)} MiB`);
});
