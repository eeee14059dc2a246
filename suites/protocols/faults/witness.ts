/** Stands between a client and the bad wires, and notes what the client sends and what reaches it. Changes nothing. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Exchanged {
  readonly method: string;
  readonly path: string;
  /** `Upload-Offset` of the request. */
  readonly offset: number | null;
  /** The answer that reached the client; null: none did. */
  status: number | null;
  /** `Upload-Offset` of the answer: acknowledged bytes. */
  acknowledged: number | null;
}

export interface Witness {
  /** What the client takes for the server's. */
  readonly url: string;
  /** Requests in the order in which they began. */
  readonly exchanges: readonly Exchanged[];
  /** Bytes that came from the client. */
  readonly sentBytes: number;
  close(): void;
}

/** @param targetUrl `http://host:port` of the wires. */
export async function startWitness(targetUrl: string): Promise<Witness> {
  const { hostname, port } = new URL(targetUrl);
  const exchanges: Exchanged[] = [];
  const sockets = new Set<Socket>();
  let sentBytes = 0;
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    const waiting: Exchanged[] = [];
    const requests = new HeadReader((head) => {
      const [, method = '', path = ''] = /^(\S+) (\S+)/.exec(head) ?? [];
      const exchanged = { method, path, offset: offsetIn(head), status: null, acknowledged: null };
      exchanges.push(exchanged);
      waiting.push(exchanged);
      return lengthIn(head);
    });
    const answers = new HeadReader((head) => {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
      if (status < 200) return 0;
      const exchanged = waiting.shift();
      if (!exchanged) return 0;
      exchanged.status = status;
      exchanged.acknowledged = status < 300 ? offsetIn(head) : null;
      return exchanged.method === 'HEAD' ? 0 : lengthIn(head);
    });
    pass(client, target, (chunk) => {
      sentBytes += chunk.length;
      requests.read(chunk);
    });
    pass(target, client, (chunk) => answers.read(chunk));
    for (const socket of [client, target]) sockets.add(socket.once('close', () => sockets.delete(socket)));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    exchanges,
    get sentBytes() {
      return sentBytes;
    },
    close() {
      listener.close();
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}

/** What happens to one end happens to the other: an end is an end, a reset a reset. */
function pass(from: Socket, to: Socket, see: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    see(chunk);
    if (!to.write(chunk)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
  from.on('end', () => to.end());
  from.on('error', () => to.resetAndDestroy());
}

/** Finds the heads of messages that are framed by Content-Length or have no body. */
class HeadReader {
  readonly #onHead: (head: string) => number;
  #head = '';
  #bodyLeft = 0;

  /** @param onHead returns the length of the body that follows. */
  constructor(onHead: (head: string) => number) {
    this.#onHead = onHead;
  }

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= taken;
        at += taken;
        continue;
      }
      const before = this.#head.length;
      this.#head += chunk.toString('latin1', at);
      const blank = this.#head.indexOf('\r\n\r\n');
      if (blank < 0) return;
      at += blank + 4 - before;
      const head = this.#head.slice(0, blank);
      this.#head = '';
      this.#bodyLeft = this.#onHead(head);
    }
  }
}

function offsetIn(head: string): number | null {
  const digits = /\r\nupload-offset: *(\d+)/i.exec(head)?.[1];
  return digits === undefined ? null : Number(digits);
}

function lengthIn(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}
