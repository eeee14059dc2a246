/** A port whose system sends no answer, as behind a firewall that drops packets. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { checkReach } from './reach.ts';

/** Listens with a backlog of one connection. */
const LISTENER = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;

/** @returns a port of a stopped process with a full backlog: Linux drops each further SYN. */
async function findDroppingPort(context: TestContext): Promise<number> {
  const child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  context.after(() => child.kill('SIGKILL'));
  const [text] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const port = Number(text.toString());
  child.kill('SIGSTOP');
  const sockets: Socket[] = [];
  context.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let left = 20; left > 0; left--) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await Promise.race([once(socket, 'connect'), delay(1_000)]);
    if (socket.connecting) return port;
  }
  throw new Error('the backlog of the listener does not fill up');
}

/** @returns the last finding. */
async function lastOf(url: string): Promise<string[]> {
  const findings = await Array.fromAsync(checkReach(new URL(url), null, new AbortController().signal));
  const { check, outcome, found } = findings.at(-1) ?? assert.fail();
  return [check, outcome, found];
}

test('doctor: reports `no answer` for a port that sends nothing or no TLS', async (context) => {
  const dropping = await findDroppingPort(context);
  const silent = createServer((socket) => context.after(() => socket.destroy())).listen(0, '127.0.0.1');
  context.after(() => silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  assert.deepEqual(await Promise.all([lastOf(`http://127.0.0.1:${dropping}`), lastOf(`https://127.0.0.1:${port}`)]), [
    ['connection', 'fail', `no connection to port ${dropping} of 127.0.0.1 (no answer)`],
    ['certificate', 'fail', 'the server does not speak TLS (no answer)'],
  ]);
});
