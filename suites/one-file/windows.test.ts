/** The program for Windows, under Wine. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { startServer } from '../server-under-test.ts';
import { testHeldFiles } from './held-tests.ts';
import { testProgram } from './program-tests.ts';
import { bringWine, insideWine } from './wine.ts';
import { WineMachine } from './wine-machine.ts';

const wine = bringWine();
if ('missing' in wine) test('one file, Windows', { skip: wine.missing }, () => {});
else testOnWindows(wine.root);

function testOnWindows(root: string): void {
  const machine = new WineMachine(root);
  const { folder, inside } = machine;

  before(() => machine.build());
  after(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

  testProgram('one file, Windows', machine);
  testHeldFiles(machine);

  // Wine has no server for shares; these paths have their form.
  for (const [what, begin] of [
    ['a drive', 'Z:\\root\\work'],
    ['a share', '\\\\?\\unix\\root\\work'],
  ] as const) {
    test(`one file, Windows: a path of more than 300 characters on ${what} is uploaded and watched`, async (t) => {
      const server = await startServer();
      t.after(() => server.discard());
      const settings = { CRYOLIFT_SERVER: server.url, CRYOLIFT_TOKEN: server.token() };
      const below = [basename(folder), ...Array<string>(6).fill('d'.repeat(50))];
      const bytes = makeMrc(MIB);
      mkdirSync(join(root, 'root/work', ...below), { recursive: true });
      writeFileSync(join(root, 'root/work', ...below, 'deep.mrc'), bytes);
      const inFolder = [begin, ...below].join('\\');
      const uploaded = await machine.begin(['upload', '--json', `${inFolder}\\deep.mrc`], settings).ended;
      assert.equal(uploaded.code, 0, uploaded.stdout);
      assert.equal(JSON.parse(uploaded.stdout.trim().split('\n').at(-1) ?? '').sha256, sha256Hex(bytes));
      const watched = await machine.begin(
        ['watch', '--json', '--once', '--settle', '1s', '--delete', inFolder],
        settings,
      ).ended;
      assert.equal(watched.code, 0, watched.stdout);
      assert.deepEqual(readdirSync(join(root, 'root/work', ...below)), []);
    });
  }

  test('one file, Windows: Ctrl-C on a terminal ends a watch with exit code 130', async (t) => {
    const server = await startServer();
    t.after(() => server.discard());
    mkdirSync(join(folder, 'watched'));
    const settings = { CRYOLIFT_SERVER: server.url, CRYOLIFT_TOKEN: server.token(), TERM: 'xterm' };
    const line = `wine '${inside}\\dist\\cryolift-win-x64.exe' watch '${inside}\\watched'; echo code $?`;
    const terminal = spawn('unshare', insideWine(root, settings, 'script', '-qec', line, '/dev/null'), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => terminal.kill('SIGKILL'));
    let shown = '';
    const { promise: isWatching, resolve } = Promise.withResolvers<void>();
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (shown.includes('watching')) resolve();
    });
    const closed = once(terminal, 'close');
    await Promise.race([isWatching, closed]);
    terminal.stdin.write('\x03');
    await closed;
    assert.match(shown, /the progress is kept/);
    assert.match(shown, /code 130/);
  });
}
