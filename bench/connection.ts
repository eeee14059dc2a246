/**
 * A client so cheap that it does not starve the server it measures: a raw socket, one buffer for every body, nothing
 * hashed or allocated per chunk, and of an answer only what is needed. It knows well-behaved servers only.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { MIB } from '@cryolift/protocol/plan';

const SLICE = randomBytes(MIB);

/** The same for all who end TLS, whatever they would choose; certificates are made for the run, and not verified. */
const TLS = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', rejectUnauthorized: false } as const;

/** A body: the same slice again and again. */
export interface Payload {
  readonly sizeBytes: number;
  readonly slices: readonly Buffer[];
}

export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export function makePayload(sizeBytes: number): Payload {
  const slices: Buffer[] = Array(Math.floor(sizeBytes / MIB)).fill(SLICE);
  if (sizeBytes % MIB > 0) slices.push(SLICE.subarray(0, sizeBytes % MIB));
  return { sizeBytes, slices };
}

/** `Content-Digest` of RFC 9530. */
export function digestPayload({ slices }: Payload): string {
  const hash = createHash('sha256');
  for (const slice of slices) hash.update(slice);
  return `sha-256=:${hash.digest('base64')}:`;
}

/** @param url http, https, or `unix:` and a path. @param onread where to read to; without it, as events. */
export async function connectTo(url: string, onread?: OnReadOpts): Promise<Socket> {
  const { protocol, hostname: host, port, pathname: path } = new URL(url);
  const address = { ...(protocol === 'unix:' ? { path } : { host, port: Number(port) }), onread };
  const isSecure = protocol === 'https:';
  const socket = isSecure ? connectSecurely({ ...address, ...TLS, servername: 'localhost' }) : connect(address);
  await once(socket, isSecure ? 'secureConnect' : 'connect');
  socket.setNoDelay();
  return socket;
}

/** Writes the slices one after another as the socket takes them; resolves when the last has been given to it. */
export function writeSlices(socket: Socket, slices: readonly Buffer[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let next = 0;
  const pump = () => {
    for (let slice = slices[next]; slice; slice = slices[next]) {
      next += 1;
      if (!socket.write(slice)) return;
    }
    socket.off('drain', pump);
    resolve();
  };
  socket.on('drain', pump);
  pump();
  return promise;
}

/** One keep-alive connection; one request at a time. */
export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #waiting: PromiseWithResolvers<Answer> | null = null;
  #received = '';

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = `Host: ${host}\r\n`;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')));
  }

  static async open(url: string): Promise<Connection> {
    return new Connection(await connectTo(url), new URL(url).host);
  }

  /** @param head the request line and fields, each with its CR LF, without Host, Content-Length and the blank line. */
  async request(head: string, body?: Payload): Promise<Answer> {
    if (this.#socket.destroyed) throw new Error('the server closed the idle connection');
    this.#waiting = Promise.withResolvers<Answer>();
    const length = body ? `Content-Length: ${body.sizeBytes}\r\n` : '';
    this.#socket.cork();
    this.#socket.write(`${head}${this.#host}${length}\r\n`);
    // The answer tells when the body is through, or that it never will be.
    if (body) writeSlices(this.#socket, body.slices);
    this.#socket.uncork();
    return await this.#waiting.promise;
  }

  /** @throws unless the answer has one of the statuses. */
  async expect(statuses: readonly number[], head: string, body?: Payload): Promise<Answer> {
    const answer = await this.request(head, body);
    if (statuses.includes(answer.status)) return answer;
    throw new Error(`${head.split('\r\n')[0]} was answered ${answer.status} ${answer.body}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [statusLine = '', ...lines] = this.#received.slice(0, end).split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    if (status < 200) {
      // An interim answer.
      this.#received = this.#received.slice(end + 4);
      this.#take('');
      return;
    }
    const headers = new Map(lines.map((line) => splitField(line)));
    const body = this.#received.slice(end + 4);
    if (Buffer.byteLength(body) < Number(headers.get('content-length') ?? 0)) return;
    this.#received = '';
    this.#waiting?.resolve({ status, headers, body });
    this.#waiting = null;
  }
}

/** Runs `work` on each of so many connections at once, until all are done. */
export async function overConnections(
  url: string,
  count: number,
  work: (connection: Connection, nr: number) => Promise<void>,
): Promise<void> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(url)));
  try {
    await Promise.all(connections.map(work));
  } finally {
    for (const connection of connections) connection.close();
  }
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
