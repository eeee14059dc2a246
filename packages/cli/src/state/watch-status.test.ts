/** `cryolift watch status` and `watch logs`, of a watch that runs, was killed, hangs, or never ran. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { parseLines } from '../testing/test-process.ts';
import { awaitStatus, writeSettings, writeToken } from '../testing/test-settings.ts';
import { bench, makeMrc, startBench, stopBench, write } from '../watch/test-watch.ts';
import type { FolderReport } from './report.ts';

before(async () => {
  await startBench();
  await writeToken(bench);
});
after(stopBench);

interface Status {
  running: boolean;
  pid: number | null;
  last_log_line: string | null;
  folders: FolderReport[];
}

async function readStatus(config: string) {
  const { code, stdout } = await bench.run(['watch', 'status', '--config', config, '--json']);
  return { code, status: parseLines<Status>(stdout)[0] as Status };
}

test('watch status: a process that runs, and one that was killed', async (t) => {
  const config = await writeSettings(bench, 'status', { one: '', two: '' });
  const never = await bench.run(['watch', 'status', '--config', config]);
  assert.equal(never.code, 1);
  assert.match(never.stdout, /not running, and it has never run/);

  await write(bench.path('one'), 'a.mrc', makeMrc(20_000));
  await write(bench.path('two'), 'wrong.mrc', Buffer.from('wrong'));
  const watch = bench.begin(['watch', '--config', config]);
  t.after(() => watch.child.kill('SIGKILL'));
  await awaitStatus(bench, config, ([one, two]) => one?.state === 'idle' && two?.refused === 1);
  const { code, status } = await readStatus(config);
  assert.equal(code, 0);
  assert.deepEqual([status.running, status.pid, status.last_log_line], [true, watch.child.pid, null]);
  const [one, two] = status.folders;
  assert.deepEqual([one?.done, one?.last_success?.path, one?.problem], [1, 'a.mrc', null]);
  assert.deepEqual([two?.state, two?.problem?.code, two?.last_error?.path], ['problem', 'files_failed', 'wrong.mrc']);
  const text = await bench.run(['watch', 'status', '--config', config]);
  assert.match(text.stdout, /running for \d+ s, process \d+\n/);
  assert.match(text.stdout, /two: problem\n.* 1 refused\n {2}problem: .*\n {4}wrong\.mrc: .*\n {2}disk: .* free\n/);

  watch.child.kill('SIGKILL');
  await watch.ended;
  const killed = await readStatus(config);
  assert.equal(killed.code, 1);
  assert.deepEqual([killed.status.running, killed.status.pid], [false, null]);
  assert.match(killed.status.last_log_line ?? '', / \[.*(one|two)\] /);
});

test('watch logs: prints the last lines, follows, and ends with Ctrl-C', async (t) => {
  const config = await writeSettings(bench, 'logs', { logged: '' });
  const none = await bench.run(['watch', 'logs', '--config', config]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /there is no log of a watch/);
  const watch = bench.begin(['watch', '--config', config, '--json']);
  t.after(() => watch.child.kill('SIGKILL'));
  await awaitStatus(bench, config, ([one]) => one?.state === 'idle');
  const follow = bench.begin(['watch', 'logs', '-f', '--config', config]);
  t.after(() => follow.child.kill('SIGKILL'));
  let followed = '';
  follow.child.stdout?.on('data', (more: string) => {
    followed += more;
  });
  await write(bench.path('logged'), 'b.mrc', makeMrc(20_000));
  while (!/\] b\.mrc /.test(followed)) await once(follow.child.stdout as NodeJS.ReadableStream, 'data');
  follow.child.kill('SIGINT');
  assert.equal((await follow.ended).code, 130);
  const last = await bench.run(['watch', 'logs', '-n', '1', '--json', '--config', config]);
  assert.deepEqual([last.code, parseLines(last.stdout).length], [0, 1]);
  assert.match(last.stdout, /\[.*logged\] b\.mrc /);
});

test('watch status: invalid settings are the last line of the log', async () => {
  const config = await writeSettings(bench, 'invalid', { invalid: 'files = 99' });
  assert.equal((await bench.run(['watch', '--config', config])).code, 2);
  const { code, status } = await readStatus(config);
  assert.equal(code, 1);
  assert.match(status.last_log_line ?? '', /invalid\.toml: line 7: files: needs a whole number/);
});
