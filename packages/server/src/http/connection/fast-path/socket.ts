/**
 * Depends on undocumented behaviour of Node, as only tls-socket.ts does, too: a connection that a `net.Server` accepted is
 * given to a socket that reads into a buffer of this server (`onread` is documented for outgoing connections only).
 * `worksHere` and `worksOverTls` test the behaviour at the start. When it is not as expected, the server uses only the
 * standard path.
 */
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type OnReadOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ConnectionOptions,
  connect as connectSecurely,
  createServer as createSecureServer,
  TLSSocket,
} from 'node:tls';
import { adoptSecure } from './tls-socket.ts';

type Adopt<Accepted extends Socket> = (accepted: Accepted, onread: OnReadOpts) => Socket;

const PROOF_MS = 2_000;

/**
 * @param accepted a connection that is not being read (`pauseOnConnect`), or one with TLS. Its socket object cannot be used
 *   afterwards.
 * @param onread as `net.connect` takes it.
 * @returns the same connection. It reads at once, and may be half open.
 */
export function adopt(accepted: Socket, onread: OnReadOpts): Socket {
  if (accepted instanceof TLSSocket) return adoptSecure(accepted, onread);
  const shell = accepted as unknown as { _handle: unknown };
  const handle = shell._handle;
  if (!handle) throw new Error('the accepted socket has no handle');
  shell._handle = null;
  accepted.destroy();
  return new Socket({ handle, onread, allowHalfOpen: true } as SocketConstructorOpts);
}

/** True when an adopted connection reads into the given buffer, pauses, writes and ends as the fast path needs it. */
export async function worksHere(tried: Adopt<Socket> = adopt): Promise<boolean> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const open = (port: number) => connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  return await tryIt(server, 'connection', open, tried);
}

/** The same with TLS. @param certificate of the server, PEM. */
export async function worksOverTls(
  certificate: { readonly cert: string; readonly key: string },
  tried: Adopt<TLSSocket> = adopt,
): Promise<boolean> {
  const { cert, key } = certificate;
  const server = createSecureServer({ cert, key, allowHalfOpen: true });
  // It speaks to itself.
  const open = (port: number) =>
    connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true } as ConnectionOptions);
  return await tryIt(server, 'secureConnection', open, tried);
}

async function tryIt<Accepted extends Socket>(
  server: Server,
  event: string,
  open: (port: number) => Socket,
  tried: Adopt<Accepted>,
): Promise<boolean> {
  const late = AbortSignal.timeout(PROOF_MS);
  const sockets: Socket[] = [];
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening', { signal: late });
    const { port } = server.address() as { port: number };
    const client = open(port);
    client.on('error', () => {});
    sockets.push(client);
    const [accepted] = (await once(server, event, { signal: late })) as [Accepted];
    sockets.push(accepted);
    return await prove(tried, accepted, client, late, sockets);
  } catch {
    return false;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function prove<Accepted extends Socket>(
  tried: Adopt<Accepted>,
  accepted: Accepted,
  client: Socket,
  late: AbortSignal,
  sockets: Socket[],
): Promise<boolean> {
  const buffers = [Buffer.alloc(4), Buffer.alloc(8)] as const;
  const got: string[] = [];
  const onBytes = new EventEmitter();
  const nextBuffer = () => buffers[got.length % 2] as Buffer;
  const socket = tried(accepted, {
    // Alternates, so that the choice of the next buffer is tested, too.
    buffer: nextBuffer,
    callback(count, buffer) {
      const expected = nextBuffer();
      got.push(buffer === expected ? expected.toString('latin1', 0, count) : 'elsewhere');
      if (got.length % 2 === 0) onBytes.emit('two');
      return true;
    },
  });
  sockets.push(socket);
  client.write('abcdefghijkl');
  await once(onBytes, 'two', { signal: late });

  socket.pause();
  const { promise: isSent, resolve: noteSent } = Promise.withResolvers<void>();
  client.write('mnopqrstuvwx', () => noteSent());
  await isSent;
  socket.write('paused');
  const [answer] = (await once(client, 'data', { signal: late })) as [Buffer];
  // A socket that is not paused reads meanwhile.
  await nextTurn();
  await nextTurn();
  if (String(answer) !== 'paused' || got.length !== 2) return false;
  const resumed = once(onBytes, 'two', { signal: late });
  socket.resume();
  await resumed;
  const ended = once(socket, 'end', { signal: late });
  client.end();
  await ended;
  return got.join() === 'abcd,efghijkl,mnop,qrstuvwx';
}
