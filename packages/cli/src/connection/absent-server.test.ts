/** An unreachable or silent server: the command prints what it waits for, and a signal ends it. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { listenOn, serveFile, startHostile } from '../testing/test-hostile.ts';
import { beginAlone, type Running } from '../testing/test-process.ts';

const home = await mkdtemp(join(tmpdir(), 'cryolift-away-'));
after(() => rm(home, { recursive: true }));
const folder = join(home, 'in');
await mkdir(folder);
await writeFile(join(folder, 'a.mrc'), 'a');

/** @returns the output of the command, once it contains `pattern`. */
async function printed(running: Running, text: string): Promise<string> {
  let all = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const stream of [running.child.stdout, running.child.stderr]) {
    stream?.on('data', (more: string) => {
      all += more;
      if (all.includes(text)) resolve(all);
    });
  }
  running.ended.then(({ code }) => reject(new Error(`ended with ${code} after ${JSON.stringify(all)}`)));
  return await promise;
}

function begin(context: TestContext, args: readonly string[], url: string): Running {
  const running = beginAlone(args, { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 'any', HOME: home });
  context.after(() => running.child.kill('SIGKILL'));
  return running;
}

/** A port at which nobody listens. */
const NOBODY = 'http://127.0.0.1:9';

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  for (const args of [
    ['upload', folder],
    ['upload', '--json', folder],
    ['watch', folder],
    ['watch', '--once', '--json', folder],
  ]) {
    const [command, ...flags] = args.slice(0, -1);
    test(`away: ${[command, ...flags].join(' ')} with a folder prints why it waits; ${signal} ends it`, async (context) => {
      const running = begin(context, args, NOBODY);
      const text = await printed(running, args.includes('--json') ? '"event":"waiting"' : 'waiting for the server: ');
      assert.match(text, /ECONNREFUSED/);
      running.child.kill(signal);
      assert.equal((await running.ended).code, 130);
    });
  }
}

/** @returns the URL of a server that accepts connections and never answers, and a promise for the first connection. */
async function startSilent(context: TestContext): Promise<{ url: string; asked: Promise<void> }> {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    context.after(() => socket.destroy());
    socket.once('data', () => resolve());
  });
  return { url: await listenOn(server, context), asked };
}

for (const args of [
  ['upload', folder],
  ['watch', folder],
  ['download', 'f1'],
  ['verify', join(folder, 'a.mrc'), 'f1'],
  ['events'],
  ['admin', 'scrub'],
]) {
  const command = args.join(' ').replaceAll(home, '');
  test(`away: the first signal ends ${command} while the server does not answer`, async (context) => {
    const { url, asked } = await startSilent(context);
    const running = begin(context, args, url);
    await asked;
    running.child.kill('SIGTERM');
    const { code } = await running.ended;
    // Without state to save, the default action of the signal ends it.
    assert.ok(code === 130 || running.child.signalCode === 'SIGTERM', `exit code ${code}`);
  });
}

test('away: download prints why it waits', async (context) => {
  const bytes = Buffer.alloc(1000);
  const whole = serveFile(bytes, { filename: 'a.mrc' });
  const url = await startHostile(context, (request, response) => {
    if (request.headers.range) request.socket.destroy();
    else whole(request, response);
  });
  const running = begin(context, ['download', 'f1', '-o', join(home, 'a.mrc')], url);
  await printed(running, 'waiting');
  running.child.kill('SIGINT');
  assert.equal((await running.ended).code, 130);
});

test('away: download ends on a permanent failure of one connection while others wait', async (context) => {
  const bytes = Buffer.alloc(20 * 1024 * 1024);
  const whole = serveFile(bytes, { filename: 'a.mrc' });
  const url = await startHostile(context, (request, response) => {
    if (request.headers.range?.startsWith('bytes=0-')) request.socket.destroy();
    else if (!request.headers.range) whole(request, response);
    // After the other connection has started to wait.
    else void delay(300).then(() => response.writeHead(200).end());
  });
  const { code, stderr } = await begin(context, ['download', 'f1', '-o', join(home, 'b.mrc')], url).ended;
  assert.equal(code, 1);
  assert.match(stderr, /The server does not send bytes/);
});
