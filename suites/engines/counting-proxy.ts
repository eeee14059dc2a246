/** Stands between a client and a server, and counts the bytes of both directions. */

import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';

export interface CountingProxy {
  readonly url: string;
  /** Of both directions. */
  readonly bytes: number;
}

/** @param target the URL of the server. */
export async function startCounting(t: TestContext, target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
  };
  const listener = createServer((client) => {
    const server = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', count).on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.after(() => listener.close());
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get bytes() {
      return bytes;
    },
  };
}
