/** `cryolift speedtest` against a server. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Measured } from '../speedtest/measure.ts';
import { findSlowest, type Verdict } from '../speedtest/verdict.ts';
import { TestBench } from '../testing/test-process.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
  await writeFile(bench.path('large.xml'), randomBytes(5 * 1024 * 1024));
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

test('speedtest: measures everything, names the slowest, and leaves nothing', async () => {
  assert.equal((await bench.run(['upload', bench.path('large.xml')])).code, 0);
  const args = ['--from', bench.path('large.xml'), '--size', '20MiB', '--for', '1s'];
  const { code, stdout, stderr } = await bench.run(['speedtest', bench.url, ...args, '--json']);
  assert.equal(code, 0, stdout + stderr);
  const lines = stdout.trim().split('\n');
  const measured = lines.slice(0, -1).map((line) => JSON.parse(line) as Measured);
  assert.deepEqual(
    measured.map(({ what }) => what),
    ['disk', 'hash', 'tls', 'latency', 'up', 'server', 'down'],
  );
  for (const { what, bytes_per_second, milliseconds } of measured) {
    if (what === 'tls') assert.equal(bytes_per_second, null);
    else assert.ok((bytes_per_second ?? milliseconds ?? 0) > 0, what);
  }
  assert.deepEqual(JSON.parse(lines.at(-1) as string), findSlowest(measured));
  const left = await bench.run(['status', '--json']);
  assert.doesNotMatch(left.stdout, /speedtest/);
  const text = await bench.run(['speedtest', '--size', '1MiB', '--for', '1s']);
  assert.match(text.stdout, /^disk +- {2}give a file or a folder with --from$/m);
  assert.match(text.stdout, /^An upload is limited by .*: .*\/s\.$/m);
});

test('speedtest: the server is the slowest only where storing costs clearly more than sending', () => {
  const of = (rates: Partial<Record<Measured['what'], number>>) =>
    findSlowest(
      Object.entries(rates).map(([what, bytes_per_second]) => ({
        ...{ what: what as Measured['what'], bytes_per_second, milliseconds: null, note: '' },
      })),
    );
  const verdict = (slowest: Verdict['slowest'], bytes_per_second: number) => ({ slowest, bytes_per_second });
  assert.deepEqual(of({ disk: 900, hash: 800, up: 100, server: 90 }), verdict('up', 100));
  assert.deepEqual(of({ disk: 900, hash: 800, up: 100, server: 50 }), verdict('server', 50));
  assert.deepEqual(of({ disk: 40, hash: 800, up: 100, server: 50 }), verdict('disk', 40));
  assert.deepEqual(of({ hash: 30, tls: 20, up: 100, server: 50 }), verdict('tls', 20));
  assert.equal(of({}), null);
});
