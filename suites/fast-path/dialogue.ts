/** One connection from its first byte to its end: all that a client sends and receives. */
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

/** The default: for what needs no disk. */
export const SILENCE_MS = 400;
/** A server that has closed its side, or was told that nothing more comes, ends the connection within this time. */
const END_MS = 10_000;
const MARKER_ID = 'the-marker';

/** A request that follows whatever a test sends; its answer shows that the connection still works. */
export const MARKER = `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${MARKER_ID}\r\n\r\n`;

export interface Dialogue {
  /** What came while the client could still send. */
  readonly received: string;
  /** What the client was left with before it closed its side: `closed`, `open` with the marker answered, or `silent`. */
  readonly state: 'closed' | 'open' | 'silent';
  /** What came after the client had closed its side. */
  readonly afterwards: string;
  /** `ended`, an error's code, or `never`. */
  readonly end: string;
}

/**
 * Sends the pieces in turn, each after an answer (an interim one, too) to the one before, or after silence. The last one
 * ends with the marker. Then closes its own side and reads to the end.
 *
 * @param silenceMs after which a server that answers others is taken to wait for more.
 */
export async function converse(url: string, pieces: readonly string[], silenceMs?: number): Promise<Dialogue> {
  return await talk(await Client.open(url), pieces, silenceMs);
}

/** As `converse`; the server has read the first `cut` bytes before the others are sent. */
export async function converseCut(
  url: string,
  [first = '', ...rest]: readonly string[],
  cut: number,
  silenceMs?: number,
) {
  const client = await Client.open(url);
  client.send(first.slice(0, cut));
  await client.askElsewhere();
  return await talk(client, [first.slice(cut), ...rest], silenceMs);
}

/** As `converse`, on a connection on which something was sent already. */
export async function talk(client: Client, pieces: readonly string[], silenceMs = SILENCE_MS): Promise<Dialogue> {
  for (const [index, piece] of pieces.entries()) {
    if (client.answers.isLast) break;
    const { count } = client.answers;
    client.send(piece);
    const isFinal = index === pieces.length - 1;
    await client.waitFor((answers) => answers.isLast || (!isFinal && answers.count > count), silenceMs);
  }
  if (client.answers.saysClose) await client.waitForEnd();
  const { received } = client;
  const state = client.end ? 'closed' : client.answers.hasMarker ? 'open' : 'silent';
  client.closeOwnSide();
  await client.waitForEnd();
  client.destroy();
  return { received, state, afterwards: client.received.slice(received.length), end: client.end ?? 'never' };
}

interface Answers {
  /** Complete ones, interim ones too. */
  readonly count: number;
  readonly saysClose: boolean;
  readonly hasMarker: boolean;
  /** Nothing can follow. */
  readonly isLast: boolean;
}

export class Client {
  readonly #url: string;
  readonly #socket: Socket;
  received = '';
  end: string | null = null;
  #wake = (): void => {};

  private constructor(url: string, socket: Socket) {
    this.#url = url;
    this.#socket = socket.setEncoding('latin1').setNoDelay();
    socket.on('data', (text: string) => {
      this.received += text;
      this.#wake();
    });
    socket.on('end', () => this.#finish('ended'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#finish(error.code ?? error.message));
    socket.on('close', () => this.#finish('closed'));
  }

  static async open(url: string): Promise<Client> {
    const { protocol, hostname: host, port } = new URL(url);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const at = { host, port: Number(port) };
    const socket: Socket = protocol === 'https:' ? connectSecurely(at, resolve) : connect(at, resolve);
    socket.once('error', reject);
    await promise;
    socket.off('error', reject);
    return new Client(url, socket);
  }

  get answers(): Answers {
    return countAnswers(this.received);
  }

  /** @param text one character for each byte. */
  send(text: string): void {
    if (this.end === null && text !== '') this.#socket.write(text, 'latin1');
  }

  closeOwnSide(): void {
    if (this.end === null) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Returns when it is so, when the connection has ended, or after silence. */
  async waitFor(isSo: (answers: Answers) => boolean, silenceMs: number): Promise<void> {
    while (this.end === null && !isSo(this.answers)) {
      if (!(await this.#more(silenceMs)) && (await this.#isIgnored())) return;
    }
  }

  async waitForEnd(): Promise<void> {
    const deadlineMs = performance.now() + END_MS;
    while (this.end === null && performance.now() < deadlineMs) await this.#more(deadlineMs - performance.now());
  }

  /** @returns false after `ms` without anything. */
  async #more(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    this.#wake = () => resolve(true);
    return await promise.finally(() => clearTimeout(timer));
  }

  /** True when the server has answered somebody else, and this client still got nothing. */
  async #isIgnored(): Promise<boolean> {
    const before = this.received.length;
    return (await this.askElsewhere()) && this.end === null && this.received.length === before;
  }

  /** Lets storage, database and server turn round once. @returns whether they do. */
  async askElsewhere(): Promise<boolean> {
    const answer = await fetch(new URL('/readyz', this.#url));
    await answer.arrayBuffer();
    return answer.ok;
  }

  #finish(reason: string): void {
    this.end ??= reason;
    this.#wake();
  }
}

function countAnswers(text: string): Answers {
  let count = 0;
  let saysClose = false;
  for (let at = 0; ; count++) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd < 0) break;
    const head = text.slice(at, headEnd);
    const isInterim = /^HTTP\/1\.1 1/.test(head);
    const bodyBytes = isInterim ? 0 : Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    at = headEnd + 4 + bodyBytes;
    if (at > text.length) break;
    saysClose ||= /^connection: close/im.test(head);
  }
  const hasMarker = new RegExp(`^x-request-id: ${MARKER_ID}\r\n[^]*"status":"ok"`, 'm').test(text);
  return { count, saysClose, hasMarker, isLast: saysClose || hasMarker };
}
