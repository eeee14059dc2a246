/**
 * A laptop that sleeps for a day: its client is stopped, the server gives up on its connection, and its token expires. When it
 * wakes up with a new token, it goes on where it was. `suites/absence` has the client of the SDK, with its token.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FilePage, UploadPage } from '@cryolift/protocol/messages';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually } from '../contract/upload.ts';
import { type Call, callAs } from '../contract/wire.ts';
import { isStopped } from '../stopped.ts';
import { startWithClock, whyNoMovedClock } from './moved-clock.ts';

const TUS = fileURLToPath(new URL('./tus-upload.ts', import.meta.url));
const MIB = 1024 * 1024;
const IDLE_MS = 1_000;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Stops itself, and would do so again later when it had been stopped before that. */
const TUS_JS = 'tus-js-client';
const CLIENTS = {
  'the command line': (url: string, token: string, file: string) => [
    ...[BIN, 'upload', file, '--server', url, '--token', `@${token}`],
    ...['--part-size', '256KiB', '--bwlimit', '1MiB', '--json'],
  ],
  [TUS_JS]: (url: string, token: string, file: string) => [TUS, url, token, file],
};

for (const [name, toArgs] of Object.entries(CLIENTS)) {
  test(`sleep: ${name} on a laptop goes on after a day, with a new token`, {
    skip: whyNoMovedClock ?? false,
    timeout: 240_000,
  }, async (context) => {
    const { server, set } = await startWithClock(context, { CRYOLIFT_BODY_IDLE_TIMEOUT: `${IDLE_MS / 1000}s` });
    const folder = mkdtempSync(join(tmpdir(), 'cryolift-sleep-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const [file, tokenPath] = [join(folder, 'movie.mrc'), join(folder, 'token')];
    const bytes = makeMrc(6 * MIB);
    writeFileSync(file, bytes);
    const first = server.token({ sub: 'ada', ttlSeconds: HOUR_S });
    writeFileSync(tokenPath, first);
    const child = startClient(context, toArgs(server.url, tokenPath, file), folder);
    const call = callAs(server, { sub: 'ada', ttlSeconds: 2 * DAY_S });
    await eventually(async () => (name === TUS_JS ? isStopped(child) : (await readReceived(call)) >= MIB), Boolean);
    const [{ status }] = (await call('GET', '/uploads')).json<UploadPage>().items as [UploadPage['items'][number]];
    assert.equal(status, 'uploading');

    child.kill('SIGSTOP');
    // The server has given up on what was on its way.
    await sleep(2 * IDLE_MS);
    await set(1);
    assertFailure(await callAs(server, { sub: 'ada', ttlSeconds: HOUR_S })('GET', '/uploads'), 'token_expired');
    writeFileSync(tokenPath, server.token({ sub: 'ada', ttlSeconds: 2 * DAY_S }));
    child.kill('SIGCONT');

    assert.deepEqual(await once(child, 'close'), [0, null]);
    const { items } = (await call('GET', '/files')).json<FilePage>();
    assert.deepEqual(
      items.map(({ sha256 }) => sha256),
      [sha256Hex(bytes)],
    );
    const uploads = (await call('GET', '/uploads?limit=200')).json<UploadPage>().items;
    assert.equal(uploads.length, 1, 'it is the same upload');
  });
}

function startClient(context: TestContext, args: readonly string[], folder: string): ChildProcess {
  const env = { PATH: process.env.PATH ?? '', HOME: folder };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  return child;
}

/** The bytes of its upload that are acknowledged as parts. */
async function readReceived(call: Call): Promise<number> {
  const { items } = (await call('GET', '/uploads')).json<UploadPage>();
  return items[0]?.received_bytes ?? 0;
}
