/** A server of tus 1.0 by its URL, and the requests that checks send to it. */
import assert from 'node:assert/strict';
import { type Part, ProtocolCalls } from '../calls.ts';
import type { Answer, Fields } from '../exchange.ts';

export const VERSION = '1.0.0';
export const OFFSET_TYPE = 'application/offset+octet-stream';

export interface TusServer {
  readonly name: string;
  /** Where uploads are created. */
  readonly url: string;
  /** Sent with each request. */
  readonly headers: Fields;
  /** Another endpoint of the same software, where uploads expire after about a second; null: it has no such setting. */
  readonly expiring: Pick<TusServer, 'url' | 'headers'> | null;
  /** @returns the bytes of a finished upload. */
  read(uploadUrl: string): Promise<Buffer>;
}

/** The requests of a client that has read the specification. `headers` of a request win; an empty value leaves one out. */
export class TusCalls extends ProtocolCalls<Pick<TusServer, 'url' | 'headers'>> {
  constructor(server: Pick<TusServer, 'url' | 'headers'>) {
    super(server, { 'tus-resumable': VERSION });
  }

  async options(headers: Fields = {}): Promise<Answer> {
    return await this.send('OPTIONS', this.server.url, { 'tus-resumable': '', ...headers });
  }

  async post(headers: Fields, part: Part = {}): Promise<Answer> {
    return await this.send('POST', this.server.url, headers, part);
  }

  /** @returns the URL of a new upload. */
  async create(headers: Fields): Promise<string> {
    const answer = await this.post(headers);
    assert.equal(answer.status, 201, `the creation was answered ${answer.status} ${answer.body}`);
    return this.locationOf(answer);
  }

  async patch(url: string, offset: number, body: Uint8Array, headers: Fields = {}, part: Part = {}): Promise<Answer> {
    const fields = { 'content-type': OFFSET_TYPE, 'upload-offset': String(offset), ...headers };
    return await this.send('PATCH', url, fields, { body, ...part });
  }

  /** A new upload with these bytes in it. */
  async createWith(body: Uint8Array, headers: Fields = {}): Promise<string> {
    const url = await this.create({ 'upload-length': String(body.length), ...headers });
    const { status } = await this.patch(url, 0, body);
    assert.equal(status, 204, `PATCH was answered ${status}`);
    return url;
  }

  /** An URL of an upload that never was. */
  get missingUrl(): string {
    return `${this.server.url.replace(/\/$/, '')}/00000000000000000000000000`;
  }
}

export function listOf(value: string | undefined): string[] {
  return (value ?? '').split(',').map((item) => item.trim());
}

/** The names in Tus-Extension. */
export async function readExtensions(server: TusServer): Promise<ReadonlySet<string>> {
  const { headers } = await new TusCalls(server).options();
  return new Set(listOf(headers['tus-extension']));
}
