/** Between a server and a destination: after so many bytes of a connection, nothing more arrives and nothing is answered. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Scope } from './site.ts';

export interface HoldingProxy {
  readonly port: number;
  /** Bytes of each connection that arrive; the others never do. Null: all arrive. */
  holdAfter: number | null;
}

/** @param target port of the destination. */
export async function startHoldingProxy(t: Scope, target: number): Promise<HoldingProxy> {
  const sockets = new Set<Socket>();
  const proxy = { port: 0, holdAfter: null } as { -readonly [Key in keyof HoldingProxy]: HoldingProxy[Key] };
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    let passed = 0;
    near.on('data', (bytes) => {
      passed += bytes.length;
      // It is read all the same: the end of the connection is behind it.
      if (proxy.holdAfter !== null && passed > proxy.holdAfter) return;
      if (!far.write(bytes)) {
        near.pause();
        far.once('drain', () => near.resume());
      }
    });
    near.on('end', () => far.end());
    far.pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = (server.address() as AddressInfo).port;
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return proxy;
}
