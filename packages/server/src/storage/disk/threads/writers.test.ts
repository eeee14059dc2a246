import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const onUnix = { skip: process.platform === 'win32' && 'needs ulimit' };

/** Writes 10,000 bytes through a worker, in a process that may not make a file of more than one block. */
const WRITE = `
  import { closeSync, openSync } from 'node:fs';
  import { Writers } from ${JSON.stringify(new URL('./writers.ts', import.meta.url).href)};
  const writers = new Writers(1, 2);
  const fd = openSync(process.argv[2], 'w');
  const target = { fd, offset: 0, onWritten() {}, whenWritable: () => undefined, onSettled() {} };
  const sink = writers.open(target);
  await sink.write(Buffer.alloc(10_000, 1));
  const outcome = await sink.commit().then(() => 'stored', ({ code }) => code);
  await writers.close();
  closeSync(fd);
  console.log(outcome);
`;

// Invariant 1
test('writers: a block of which the system has written only the beginning is not stored', onUnix, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-writers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const script = join(folder, 'write.mjs');
  writeFileSync(script, WRITE);
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const command = ['-c', 'ulimit -f 1; exec "$@"', 'sh', process.execPath, script, join(folder, 'part')];
  const limited = spawnSync('sh', command, { encoding: 'utf8', env });
  assert.equal(limited.stdout.trim(), 'storage_unavailable', limited.stderr);
});
