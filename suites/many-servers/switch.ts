/** A TCP proxy whose connections all go to one place at a time: a load balancer, or the address of a database. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export class Switch {
  /** `http://127.0.0.1:PORT`; the port is what counts. */
  readonly url: string;
  #port: number;
  readonly #open = new Set<Socket>();
  readonly #close: () => void;

  private constructor(port: number, ownPort: number, close: () => void) {
    this.#port = port;
    this.url = `http://127.0.0.1:${ownPort}`;
    this.#close = close;
  }

  /** @param target a URL on 127.0.0.1. */
  static async open(target: string): Promise<Switch> {
    const server = createServer({ noDelay: true }, (client) => turn.#accept(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const turn = new Switch(portOf(target), port, () => server.close());
    return turn;
  }

  get port(): number {
    return portOf(this.url);
  }

  /** All connections are lost, and new ones go there. */
  turnTo(target: string): void {
    this.#port = portOf(target);
    this.cut();
  }

  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.#close();
    this.cut();
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#open.add(from);
      from
        .on('error', () => {})
        .on('close', () => {
          this.#open.delete(from);
          to.destroy();
        });
      from.pipe(to);
    }
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
