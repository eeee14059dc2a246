/** A receiver of webhooks as bad as a test wants it, which checks what it gets as the specification says. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What it does with an event that is rightly signed: a status, or nothing at all. */
export type Mood = (event: Received) => number | 'hang' | 'reset';

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>> & { readonly upload_id: string };
  readonly headers: IncomingMessage['headers'];
}

export class Receiver {
  readonly key: Buffer;
  /** Every event that came, accepted or not, in the order in which it came. */
  readonly received: Received[] = [];
  /** What was wrong with a request: nothing must be. */
  readonly faults: string[] = [];
  mood: Mood = () => 204;
  #server: Server | null = null;
  #port = 0;
  #wake = (): void => {};

  constructor(key: Buffer) {
    this.key = key;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  get isUp(): boolean {
    return this.#server !== null;
  }

  /** On the same port as before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#take(request, response)).listen(
      this.#port,
      '127.0.0.1',
    );
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** As if it had died: connections are reset. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  }

  /** Waits until what was received is as it should be. */
  async reach(is: (received: readonly Received[]) => boolean): Promise<void> {
    while (!is(this.received)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request).catch(() => null);
    // Cut off in the middle: nothing was received.
    if (body === null) return;
    const { headers } = request;
    const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signature } = headers;
    const expected = createHmac('sha256', this.key).update(`${id}.${seconds}.${body}`).digest('base64');
    const event = JSON.parse(body) as Received;
    if (signature !== `v1,${expected}`) this.faults.push(`signature ${signature} of ${body.slice(0, 100)}`);
    if (id !== event.id) this.faults.push(`webhook-id ${id} of event ${event.id}`);
    if (!(Math.abs(Date.now() / 1000 - Number(seconds)) < 60)) this.faults.push(`webhook-timestamp ${seconds}`);
    this.received.push({ ...event, headers });
    const answer = this.mood(event);
    this.#wake();
    if (answer === 'hang') return;
    if (answer === 'reset') request.socket.resetAndDestroy();
    else response.writeHead(answer, answer === 503 ? { 'retry-after': '0' } : {}).end('said the receiver\u0007');
  }
}
