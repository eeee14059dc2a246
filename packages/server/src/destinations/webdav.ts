/** A folder of a WebDAV server (RFC 4918), by the connections of the SDK. */
import { HttpTransport, type HttpTransportOptions } from '@cryolift/client/node';
import type { WebDavTarget } from '../config/destinations.ts';
import { BEGUN, digestOf, type OutgoingFile, PushRefused, type SavedProgress } from './delivery.ts';
import type { RemoteFolder } from './folder.ts';
import { OutgoingBody } from './outgoing-body.ts';

/** Of one answer that is read back. */
const RANGE_BYTES = 16 * 1024 * 1024;
/** A server may copy a large file when it is moved. */
const OPTIONS: HttpTransportOptions = { stallMs: 60_000 };

type Request = Omit<Parameters<HttpTransport['send']>[0], 'path' | 'headers' | 'method'> & {
  readonly headers?: Readonly<Record<string, string>>;
};

export class WebDavFolder implements RemoteFolder {
  readonly #transport: HttpTransport;
  readonly #authorization: Readonly<Record<string, string>>;
  readonly #root: URL;

  constructor({ url, user, password, token }: WebDavTarget) {
    this.#root = new URL(`${url}/`);
    this.#transport = new HttpTransport(url, OPTIONS);
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    if (token !== null) this.#authorization = { authorization: `Bearer ${token}` };
    else this.#authorization = user === null ? {} : { authorization: `Basic ${basic}` };
  }

  async stat(path: string): Promise<number | null> {
    const { status, headers } = await this.#call('HEAD', path, [200, 404]);
    if (status === 404) return null;
    const size = Number(headers['content-length'] ?? Number.NaN);
    if (Number.isSafeInteger(size)) return size;
    throw new PushRefused('The destination does not say how large a file is.');
  }

  async digest(path: string, signal: AbortSignal): Promise<string> {
    const size = await this.stat(path);
    if (size === null) throw new Error('a file is not there any more');
    return await digestOf(this.#read(path, size, signal));
  }

  async put(path: string, file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    const part = partOf(path);
    await progress.save(BEGUN);
    await this.#makeFolders(path);
    // WebDAV has no way to send the rest of a file.
    const body = new OutgoingBody(file);
    try {
      await this.#call('PUT', part, [200, 201, 204], { ...(file.sizeBytes === 0 ? EMPTY : { body }), signal });
    } finally {
      body.close();
    }
    if ((await this.digest(part, signal)) !== file.sha256) {
      await this.discard(path);
      throw new Error('the destination has other bytes than those that were sent');
    }
    // With 412 a file of this name has appeared.
    const headers = { destination: new URL(toUrl(path), this.#root).href, overwrite: 'F' };
    await this.#call('MOVE', part, [201, 204], { headers });
  }

  async discard(path: string): Promise<void> {
    await this.#call('DELETE', partOf(path), [200, 204, 404]);
  }

  async close(): Promise<void> {}

  /** Section 9.3.1: one after the other. 405: it is there. */
  async #makeFolders(path: string): Promise<void> {
    const segments = path.split('/').slice(0, -1);
    for (let count = 1; count <= segments.length; count++) {
      await this.#call('MKCOL', `${segments.slice(0, count).join('/')}/`, [201, 301, 405]);
    }
  }

  async *#read(path: string, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < size; start += RANGE_BYTES) {
      const end = Math.min(size, start + RANGE_BYTES) - 1;
      const headers = { range: `bytes=${start}-${end}`, 'accept-encoding': 'identity' };
      const { status, body } = await this.#call('GET', path, [200, 206], {
        headers,
        signal,
        maxReplyBytes: RANGE_BYTES,
      });
      if (status === 200 && size > RANGE_BYTES)
        throw new PushRefused('The destination does not answer for ranges of files.');
      if (body.length !== end - start + 1) throw new Error('the destination has sent another range');
      yield body;
    }
  }

  /** Redirects are not followed: only the settings say where the server connects to. */
  async #call(method: string, path: string, expected: readonly number[], { headers, ...rest }: Request = {}) {
    const all = { ...this.#authorization, ...headers };
    const reply = await this.#transport.send({ method, path: `/${toUrl(path)}`, headers: all, ...rest });
    if (expected.includes(reply.status)) return reply;
    const message = `The destination answers ${method} with ${reply.status}.`;
    throw [401, 403].includes(reply.status) ? new PushRefused(message) : new Error(message);
  }
}

const EMPTY = { headers: { 'content-length': '0' } };

function partOf(path: string): string {
  return `${path}.cryolift-part`;
}

function toUrl(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
