/**
 * An update in the middle of the night: the server is stopped and started again, over and over, while eight instruments
 * upload. Nobody there is to notice: no upload fails, and nothing that reads like an error is printed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildHeader, generateMrc } from '@cryolift/mrc';
import type { FilePage } from '@cryolift/protocol/messages';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { callAs } from '../contract/wire.ts';
import { findPort } from '../program.ts';
import { startServer } from '../server-under-test.ts';

const CLIENTS = 8;
const RESTARTS = 20;
/** With a connection that breaks all the time a client takes longer for its file than all the restarts. */
const FILE_BYTES = 8 * 1024 * 1024;
const RATE = '768KiB';
/** It takes about one minute; several where others work on the machine. */
const TIMEOUT_MS = 6 * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'cryolift-restarts-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** @returns its SHA-256. */
function writeSample(path: string, seed: number): string {
  const header = buildHeader({ nx: 1024, ny: (FILE_BYTES - 1024) / 1024, nz: 1, mode: 0 });
  const hash = createHash('sha256');
  writeFileSync(path, '');
  for (const bytes of generateMrc({ header, sizeBytes: FILE_BYTES, seed }, FILE_BYTES)) {
    hash.update(bytes);
    writeFileSync(path, bytes, { flag: 'a' });
  }
  return hash.digest('hex');
}

interface Client {
  readonly child: ChildProcess;
  readonly sha256: string;
  readonly ended: Promise<number | null>;
  printed: string;
}

function startClient(idx: number, url: string, token: string): Client {
  const home = mkdtempSync(join(folder, `client-${idx}-`));
  const path = join(home, `movie-${idx}.mrc`);
  const sha256 = writeSample(path, idx + 1);
  const args = ['upload', path, '--part-size', '256KiB', '--parallel', '4', '--bwlimit', RATE];
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: home, CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const client: Client = { child, sha256, ended, printed: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      client.printed += text;
    });
  }
  return client;
}

test(`restarts: ${RESTARTS} restarts while ${CLIENTS} clients upload: none fails, none shows an error`, {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const server = await startServer({ CRYOLIFT_PORT: String(await findPort()) });
  context.after(() => server.discard());
  const token = server.token({ sub: 'lab' });
  const clients = Array.from({ length: CLIENTS }, (_, idx) => startClient(idx, server.url, token));
  context.after(() => {
    for (const { child } of clients) child.kill('SIGKILL');
  });
  const call = callAs(server, { sub: 'lab' });
  const receivedBytes = async () => {
    const items = (await call('GET', '/uploads')).json<{ items: { received_bytes: number }[] }>().items;
    return items.reduce((sum, { received_bytes }) => sum + received_bytes, 0);
  };

  let underLoad = 0;
  for (let restart = 0; restart < RESTARTS; restart++) {
    // Each is under load: something arrived since the last one.
    const before = await receivedBytes();
    while (clients.some(({ child }) => child.exitCode === null) && (await receivedBytes()) === before) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (clients.some(({ child }) => child.exitCode === null)) underLoad++;
    assert.equal(await server.stop(), 0);
    await server.restart();
  }
  const codes = await Promise.all(clients.map(({ ended }) => ended));
  for (const { printed } of clients) {
    // The wait for the server is reported; a failure would start with the name of the program.
    assert.doesNotMatch(printed, /cryolift:|fail|shutting/i);
  }
  assert.deepEqual(codes, new Array(CLIENTS).fill(0), clients.map(({ printed }) => printed).join('\n'));
  assert.equal(underLoad, RESTARTS, 'the uploads were over before the restarts were');

  const { items } = (await callAs(server, { sub: 'lab' })('GET', '/files')).json<FilePage>();
  assert.deepEqual(items.map(({ sha256 }) => sha256).sort(), clients.map(({ sha256 }) => sha256).sort());
  const errors = server.stderr.split('\n').filter((line) => /"level":(50|60)/.test(line));
  assert.deepEqual(errors, [], 'the server logged an error');
});
