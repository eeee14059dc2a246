/** Retries slow down and end, with any answer of the server or of another program. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { buildHeader } from '@cryolift/mrc';
import { answerWith, startHostile } from '../testing/test-hostile.ts';
import { beginAlone, type Running } from '../testing/test-process.ts';

const FILES = 200;
/** Long enough for thousands of calls without a delay. A slow machine makes fewer. */
const WATCHED_MS = 5_000;
/** Of output: four of each of 16 files, and some of these again after a while. With all files it would be 800. */
const MOST_LINES = 260;

const home = await mkdtemp(join(tmpdir(), 'cryolift-loops-'));
after(() => rm(home, { recursive: true }));
const folder = join(home, 'in');
await mkdir(folder);
const mrc = Buffer.concat([buildHeader({ nx: 16, ny: 16, nz: 1, mode: 0 }), Buffer.alloc(256)]);
for (let idx = 0; idx < FILES; idx++) await writeFile(join(folder, `${idx}.mrc`), mrc);

function begin(context: TestContext, args: readonly string[], url: string): Running {
  const running = beginAlone(args, { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 'any', HOME: home });
  context.after(() => running.child.kill('SIGKILL'));
  return running;
}

/** A server that counts requests and answers only the one for the accepted types. */
async function startCounting(context: TestContext, answer: RequestListener) {
  const calls: IncomingMessage[] = [];
  const limits = answerWith({ part_size: 65_536, mrc_types: ['mrc'], accepted_types: [] });
  const url = await startHostile(context, (request, response) => {
    calls.push(request);
    if (request.url === '/limits') limits(request, response);
    else answer(request, response);
  });
  return { url, calls };
}

const envelope = {
  code: 'token_expired',
  message: 'The token has expired.',
  hint: '',
  retryable: true,
  request_id: 'r',
};
const refusing = answerWith(envelope, 401);

function loginPage(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/html' }).end('<form>Sign in</form>');
}

for (const args of [['watch'], ['watch', '--once'], ['upload']]) {
  test(`loops: ${args.join(' ')} ends with exit code 3 when the token is refused`, async (context) => {
    const { url, calls } = await startCounting(context, refusing);
    const { code, stdout, stderr } = await begin(context, [...args, folder, ...settle(args)], url).ended;
    assert.equal(code, 3, stderr);
    assert.ok(calls.length < 40, `${calls.length} calls`);
    const lines = `${stdout}${stderr}`.split('\n');
    assert.ok(lines.length < 30, `${lines.length} lines`);
  });
}

function settle([command]: readonly string[]): string[] {
  return command === 'watch' ? ['--settle', '1s'] : [];
}

for (const args of [['watch', '--once'], ['upload']]) {
  test(`loops: ${args.join(' ')} ends when a sign-in page answers`, async (context) => {
    const { url, calls } = await startCounting(context, loginPage);
    const { code, stderr } = await begin(context, [...args, folder, ...settle(args)], url).ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /does not come from a Cryolift server/);
    assert.ok(calls.length < 60, `${calls.length} calls`);
  });
}

test('loops: watch delays all files while a sign-in page answers', async (context) => {
  const { url, calls } = await startCounting(context, loginPage);
  const running = begin(context, ['watch', folder, '--settle', '1s'], url);
  while (calls.length < 4) await delay(50);
  await delay(WATCHED_MS);
  running.child.kill('SIGTERM');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  assert.ok(calls.length < 60, `${calls.length} calls`);
  assert.ok(stderr.split('\n').length < MOST_LINES, stderr);
});

for (const args of [['watch'], ['watch', '--once'], ['upload']]) {
  test(`loops: ${args.join(' ')} stops trying files while the token file is missing`, async (context) => {
    const token = join(home, `token ${args.join(' ')}`);
    await writeFile(token, 'any');
    const whose = answerWith({ owner: 'ada', link_id: null });
    const { url, calls } = await startCounting(context, (request, response) => {
      if (request.url === '/whoami') return whose(request, response);
      rmSync(token, { force: true });
      refusing(request, response);
    });
    const running = begin(context, [...args, folder, '--token', `@${token}`, ...settle(args)], url);
    if (args.length === 1 && args[0] === 'watch') {
      while (calls.every((call) => call.url !== '/uploads/init')) await delay(50);
      await delay(WATCHED_MS);
      running.child.kill('SIGTERM');
    }
    const { code, stdout, stderr } = await running.ended;
    assert.notEqual(code, 0);
    assert.match(stderr, /cannot be read: no such file or folder/);
    assert.ok(`${stdout}${stderr}`.split('\n').length < MOST_LINES, stderr);
  });
}

test('loops: events end when a sign-in page answers', async (context) => {
  const { url, calls } = await startCounting(context, loginPage);
  const { code, stderr } = await begin(context, ['events'], url).ended;
  assert.equal(code, 1);
  assert.match(stderr, /does not come from a Cryolift server/);
  assert.equal(calls.length, 3);
});

test('loops: events read a bounded part of an error answer', async (context) => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const { url } = await startCounting(context, (_request, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && ++sent < 400) if (!response.write(piece)) return void response.once('drain', more);
      response.end();
    };
    more();
  });
  const { code, stderr } = await begin(context, ['events'], url).ended;
  assert.equal(code, 1);
  assert.match(stderr, /does not come from a Cryolift server/);
  assert.ok(sent < 100, `${sent} MiB were read`);
});

test('loops: events wait between streams that end at once, and print it', async (context) => {
  const { url, calls } = await startCounting(context, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': listening\n\n');
  });
  const running = begin(context, ['events'], url);
  while (calls.length < 2) await delay(50);
  await delay(WATCHED_MS);
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  assert.ok(calls.length < 60, `${calls.length} calls`);
  assert.match(stderr, /waiting for the server: the event stream ended/);
});

test('loops: events continue from an id that arrived without an event', async (context) => {
  const { url, calls } = await startCounting(context, (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = { type: 'cryolift.upload.completed', subject: 'uploads/u1', time: '', data: { status: 'completed' } };
    // The events between the two are sent only for requests after event 41.
    if (request.headers['last-event-id'] === '41') response.end(`id: 42\ndata: ${JSON.stringify(event)}\n\n`);
    else response.end(': listening\nid: 41\n\n');
  });
  const { code, stdout } = await begin(context, ['events', 'u1', '--json'], url).ended;
  assert.equal(code, 0);
  assert.match(stdout, /upload\.completed/);
  assert.deepEqual(
    calls.map(({ headers }) => headers['last-event-id']),
    [undefined, '41'],
  );
});

for (const args of [
  ['cancel', 'u1'],
  ['rm', 'f1'],
  ['link', '--revoke', 'l1'],
]) {
  test(`loops: ${args[0]} does not succeed when a sign-in page answers`, async (context) => {
    const { url } = await startCounting(context, loginPage);
    const { code, stderr } = await begin(context, args, url).ended;
    assert.equal(code, 1);
    assert.match(stderr, /does not come from a Cryolift server/);
  });
}

/** 50 days: 2^32 ms and some. A timer with this delay fires at once. */
const LONG_SECONDS = 4_320_000;
const overloaded = { code: 'overloaded', message: 'Later.', hint: '', retryable: true, request_id: 'r' };

function putOff(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('retry-after', String(LONG_SECONDS));
  answerWith(overloaded, 503)(request, response);
}

for (const args of [['events'], ['upload', folder]]) {
  test(`loops: ${args[0]} ends when Retry-After is longer than its retry policy`, async (context) => {
    const { url, calls } = await startCounting(context, putOff);
    const { code, stderr } = await begin(context, args, url).ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Later\./);
    assert.ok(calls.length < 10, `${calls.length} calls`);
  });
}

test('loops: watch waits for Retry-After', async (context) => {
  let calls = 0;
  const url = await startHostile(context, (request, response) => {
    calls++;
    putOff(request, response);
  });
  const running = begin(context, ['watch', folder], url);
  while (calls === 0) await delay(50);
  await delay(WATCHED_MS);
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 130);
  assert.equal(calls, 1);
});

for (const args of [['ls'], ['link', 'ls'], ['admin', 'sessions']]) {
  test(`loops: ${args.join(' ')} ends for a list that does not end`, async (context) => {
    for (const items of [[], [{ link_id: 'k' }]]) {
      let count = 0;
      const url = await startHostile(context, (request, response) => {
        const next_cursor = ++count > 1000 ? null : 'again';
        const isFilled = !/^\/(uploads|files)/.test(request.url ?? '');
        answerWith({ items: isFilled ? items : [], next_cursor })(request, response);
      });
      const { code, stderr } = await begin(context, args, url).ended;
      assert.match(stderr, /does not end/);
      assert.equal(code, 1, stderr);
    }
  });
}

test('loops: an answer without an outcome is not a success', async (context) => {
  const url = await startHostile(context, answerWith({}));
  for (const args of [
    ['link', 'revoke', '--all'],
    ['admin', 'links', 'revoke', 'ada'],
    ['admin', 'sweep'],
    ['admin', 'deliveries', 'retry', '7'],
  ]) {
    const { code, stdout, stderr } = await begin(context, args, url).ended;
    assert.equal(code, 1, `${args}: ${stdout}${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, /does not come from a Cryolift server/);
  }
});
