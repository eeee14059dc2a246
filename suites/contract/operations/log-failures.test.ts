/** A log that cannot be written does not stop the server: the lines are lost, counted, and the loss is logged later. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BIN } from '../../../packages/cli/src/testing/program.ts';

/** @param stderr where the log goes. @returns the server, when it listens. */
async function serve(context: TestContext, stderr: number | 'pipe') {
  const dataDir = mkdtempSync(join(tmpdir(), 'cryolift-log-'));
  const settings = { CRYOLIFT_PORT: '0', CRYOLIFT_DATA_DIR: dataDir, CRYOLIFT_RATE_LIMIT: '1000000' };
  const env = { PATH: process.env.PATH, ...settings };
  const child = spawn(process.execPath, [BIN, 'serve'], { env, stdio: ['ignore', 'pipe', stderr, 'ipc'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  context.after(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  });
  let printed = '';
  for await (const text of child.stdout as AsyncIterable<Buffer>) {
    printed += text;
    const url = /listening on (\S+)/.exec(printed)?.[1];
    if (url) return { child, url };
  }
  throw new Error(`the server did not start: ${printed}`);
}

/** Makes as many lines of the log. */
async function request(url: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${url}/healthz`)));
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      await answer.text();
    }
  }
}

async function lostLines(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^cryolift_log_lines_lost_total (\S+)$/m.exec(text)?.[1]);
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

test('log: a full disk behind standard error neither stops nor ends the server', async (context) => {
  const full = openSync('/dev/full', 'w');
  context.after(() => closeSync(full));
  const { child, url } = await serve(context, full);
  await request(url, 500);
  assert.ok((await lostLines(url)) > 0);
  assert.ok(isRunning(child));
});

test('log: a pipe that nobody reads loses lines, and says so once it is read', async (context) => {
  const { child, url } = await serve(context, 'pipe');
  await request(url, 12_000);
  assert.ok((await lostLines(url)) > 0);
  let log = '';
  for await (const text of child.stderr as AsyncIterable<Buffer>) {
    log += text;
    if (/"lost_lines":[1-9]/.test(log)) break;
  }
  assert.ok(isRunning(child));
});
