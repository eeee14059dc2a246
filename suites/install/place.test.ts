/** An installation may lie anywhere, also below a folder whose name has a meaning inside of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Our own packages are copies; those of others are links to the ones of this checkout. @returns the folder. */
function installBelow(context: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-place-'));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const place = join(folder, name, 'app');
  mkdirSync(join(place, 'node_modules/@cryolift'), { recursive: true });
  for (const each of ['protocol', 'mrc', 'client', 'server', 'cli']) {
    cpSync(join(ROOT, 'packages', each), join(place, 'packages', each), {
      recursive: true,
      filter: (path) => !/[\\/](?:fixtures|\.cache)$/.test(path),
    });
  }
  for (const each of readdirSync(join(ROOT, 'node_modules'))) {
    if (each !== '@cryolift' && !each.startsWith('.'))
      symlinkSync(join(ROOT, 'node_modules', each), join(place, 'node_modules', each));
  }
  for (const each of readdirSync(join(ROOT, 'node_modules/@cryolift'))) {
    symlinkSync(readlinkSync(join(ROOT, 'node_modules/@cryolift', each)), join(place, 'node_modules/@cryolift', each));
  }
  return place;
}

test('page: below a folder named assets, only what has a hash in its name may be kept for ever', async (context) => {
  const place = installBelow(context, 'assets');
  const args = [
    join(place, 'packages/cli/bin/cryolift.js'),
    'serve',
    '--port',
    '0',
    '--log-level',
    'warn',
    '--data-dir',
    join(place, 'data'),
  ];
  // Settings of the test run are none of a server's.
  const env = { PATH: process.env.PATH };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>();
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    const url = /cryolift listening on (\S+)/.exec(printed)?.[1];
    if (url) resolve(url);
  });
  const ended = new Promise((end) => child.once('close', end));
  void ended.then(() => reject(new Error(`serve ended: ${printed}`)));
  context.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const url = await listening;
  const cachingOf = async (path: string) => (await fetch(url + path)).headers.get('cache-control');
  assert.equal(await cachingOf('/'), 'no-cache');
  assert.equal(await cachingOf('/index.html'), 'no-cache');
  assert.equal(await cachingOf('/icon.svg'), 'no-cache');
  const page = await (await fetch(url)).text();
  const asset = /(?:src|href)="(\/assets\/[^"]+)"/.exec(page)?.[1] ?? '';
  assert.match((await cachingOf(asset)) ?? '', /immutable/);
});
