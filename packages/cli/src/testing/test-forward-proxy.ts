/** A forward proxy: requests for http, tunnels for https (RFC 9110 section 9.3.6). */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

export interface ForwardProxyOptions {
  /** Addresses of names that only the proxy resolves: `host:port`. */
  readonly names: Readonly<Record<string, string>>;
  /** Required login: `NAME:PASSWORD`. */
  readonly login?: string;
}

export class ForwardProxy {
  /** Received requests: `GET http://…`, `CONNECT …`. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #options: ForwardProxyOptions;

  private constructor(options: ForwardProxyOptions) {
    this.#options = options;
    this.#server = createServer((asked, answer) => this.#forward(asked, answer));
    this.#server.on('checkContinue', (asked, answer) => this.#forward(asked, answer));
    this.#server.on('connect', (asked, socket: Socket) => this.#tunnel(asked, socket));
  }

  static async start(options: ForwardProxyOptions): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    this.asked.push(`${asked.method} ${asked.url}`);
    if (!this.#isWelcome(asked)) {
      answer.writeHead(407, { 'proxy-authenticate': 'Basic realm="lab"', connection: 'close' }).end('<h1>407</h1>');
      return;
    }
    const { host, pathname, search } = new URL(asked.url ?? '');
    const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = asked.headers;
    const onward = request(`http://${this.#find(host)}${pathname}${search}`, {
      method: asked.method ?? 'GET',
      headers,
    });
    onward.on('continue', () => answer.writeContinue());
    onward.on('response', (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      answer.flushHeaders();
      pipeline(got, answer, () => {});
    });
    onward.on('error', () => {
      if (!answer.headersSent) answer.writeHead(502);
      answer.end();
    });
    answer.once('close', () => asked.complete || onward.destroy());
    onward.flushHeaders();
    asked.pipe(onward);
  }

  #tunnel(asked: IncomingMessage, near: Socket): void {
    this.asked.push(`CONNECT ${asked.url}`);
    if (!this.#isWelcome(asked)) {
      near.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="lab"\r\n\r\n');
      return;
    }
    const [host, port] = this.#find(asked.url ?? '').split(':');
    const far = connect(Number(port), host ?? '');
    for (const socket of [near, far]) this.#sockets.add(socket.on('error', () => {}));
    far.once('connect', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      pipeline(near, far, near, () => {});
    });
    far.once('error', () => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  }

  #find(host: string): string {
    return this.#options.names[host] ?? host;
  }

  #isWelcome({ headers }: IncomingMessage): boolean {
    const { login } = this.#options;
    return login === undefined || headers['proxy-authorization'] === `Basic ${btoa(login)}`;
  }
}
