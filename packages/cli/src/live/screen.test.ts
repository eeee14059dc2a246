/** `cryolift watch status --live` on a terminal. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, type TestContext, test } from 'node:test';
import { BIN } from '../testing/program.ts';
import { awaitStatus, writeSettings, writeToken } from '../testing/test-settings.ts';
import { bench, makeMrc, startBench, stopBench, write } from '../watch/test-watch.ts';
import { bigText } from './font.ts';

const onLinux = { skip: process.platform !== 'linux' && 'needs script of util-linux' };

before(async () => {
  await startBench();
  await writeToken(bench);
});
after(stopBench);

/** On a terminal of 80 × 24. @returns functions: wait until it shows these letters; press keys, for all of its output. */
function openLive(t: TestContext, config: string, env: Readonly<Record<string, string>> = {}) {
  const command = `stty columns 80 rows 24; '${process.execPath}' '${BIN}' watch status --live --config '${config}'; echo code $?`;
  const { PATH = '' } = process.env;
  const child: ChildProcess = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH, HOME: bench.folder, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let shown = '';
  let all = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    all += text;
  });
  const closed = once(child, 'close');
  const see = async (text: string) => {
    const rows = bigText(text).map((row) => row.trimEnd());
    while (!rows.every((row) => shown.includes(row))) await once(child.stdout as NodeJS.ReadableStream, 'data');
    shown = '';
  };
  const end = async (keys: string) => {
    child.stdin?.write(keys);
    await closed;
    return all;
  };
  return { see, end };
}

test('watch status --live: follows the watch, and notices that it was killed; q ends it', onLinux, async (t) => {
  const config = await writeSettings(bench, 'live', { lives: '' }, 'bwlimit = "1MiB"');
  const live = openLive(t, config);
  await live.see('NOT RUNNING');
  const watch = bench.begin(['watch', '--config', config]);
  t.after(() => watch.child.kill('SIGKILL'));
  await live.see('ALL UPLOADED');
  await write(bench.path('lives'), 'a.mrc', makeMrc(4_000_000));
  await live.see('UPLOADING');
  await live.see('ALL UPLOADED');
  await write(bench.path('lives'), 'wrong.mrc', Buffer.from('wrong'));
  await live.see('PROBLEM');
  watch.child.kill('SIGKILL');
  await live.see('NOT RUNNING');
  const rest = await live.end('q');
  assert.ok(rest.includes('\x1b[1;36m') || rest.includes('\x1b[36m'), 'with colours');
  const [, ended = ''] = rest.split('\x1b[?7h\x1b[?25h\x1b[?1049l');
  assert.match(ended, /^\s*code 0/, 'the terminal is as before');
});

test('watch status --live: NO_COLOR leaves the letters; Ctrl-C ends it; other uses are refused', onLinux, async (t) => {
  const config = await writeSettings(bench, 'plain', { plain: '' });
  const watch = bench.begin(['watch', '--config', config]);
  t.after(() => watch.child.kill('SIGKILL'));
  await awaitStatus(bench, config, ([folder]) => folder?.state === 'idle');
  const live = openLive(t, config, { NO_COLOR: '1' });
  await live.see('ALL UPLOADED');
  const rest = await live.end('\x03');
  for (const code of ['1', '32', '7']) assert.ok(!rest.includes(`\x1b[${code}m`), code);
  assert.match(rest, /code 130/);
  const piped = await bench.run(['watch', 'status', '--live', '--config', config]);
  assert.deepEqual([piped.code, /--live needs a terminal/.test(piped.stderr)], [2, true]);
});
