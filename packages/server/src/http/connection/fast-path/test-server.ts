/** The fast path in front of a plain `node:http` server, for tests. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { ConnectionLimiter } from '../connection-limiter.ts';
import { FastPathServer } from './server.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Listens until the test ends. @returns the server, and a function that opens a connection to it. */
export async function startFastPath(t: TestContext, handler: Handler, times: ServerOptions = {}) {
  const options = { requireHostHeader: false, ...times };
  const standard = createServer(options, (request, response) => void handler(request, response));
  const fastPath = new FastPathServer(standard, new ConnectionLimiter(1000));
  await fastPath.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    const closed = fastPath.close();
    fastPath.closeAllConnections();
    await closed;
  });
  const open = async (): Promise<Socket> => {
    const { port } = fastPath.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { fastPath, open };
}
