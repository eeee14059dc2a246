/** A server of the IETF draft by its URL and one interop version, and the requests that checks send to it. */
import assert from 'node:assert/strict';
import { type Part, ProtocolCalls } from '../calls.ts';
import type { Answer, Fields } from '../exchange.ts';

/** Of draft-ietf-httpbis-resumable-upload. */
export type InteropVersion = 3 | 5 | 6 | 8;

export interface ResumableServer {
  readonly name: string;
  readonly version: InteropVersion;
  /** Where uploads are created. */
  readonly url: string;
  /** Where PUT creates an upload; null: nowhere. */
  readonly putUrl: string | null;
  /** Sent with each request. */
  readonly headers: Fields;
  /** @returns the bytes of a finished upload. */
  read(uploadUrl: string): Promise<Buffer>;
}

const PARTIAL_TYPE = 'application/partial-upload';

/** The requests of a client of that version. `headers` of a request win; an empty value leaves one out. */
export class ResumableCalls extends ProtocolCalls<ResumableServer> {
  constructor(server: ResumableServer) {
    super(server, { 'upload-draft-interop-version': String(server.version) });
  }

  /** The field that says whether the request ends the upload; version 3 has its inverse. */
  complete(isComplete: boolean): Fields {
    if (this.server.version === 3) return { 'upload-incomplete': isComplete ? '?0' : '?1' };
    return { 'upload-complete': isComplete ? '?1' : '?0' };
  }

  /** @returns what an answer says of completeness; null: nothing. */
  isComplete({ headers }: Pick<Answer, 'headers'>): boolean | null {
    const isInverse = this.server.version === 3;
    const value = headers[isInverse ? 'upload-incomplete' : 'upload-complete'];
    if (value !== '?0' && value !== '?1') return null;
    return (value === '?1') !== isInverse;
  }

  /** Creates an upload. */
  async start(isComplete: boolean, body: Uint8Array, headers: Fields = {}, part: Part = {}): Promise<Answer> {
    const fields = { 'content-disposition': 'inline; filename="sent.raw"', ...this.complete(isComplete), ...headers };
    return await this.send('POST', this.server.url, fields, { body, ...part });
  }

  /** @returns the URL of a new upload that is not complete. */
  async create(body: Uint8Array = new Uint8Array(), headers: Fields = {}): Promise<string> {
    const answer = await this.start(false, body, headers);
    assert.ok(answer.status >= 200 && answer.status < 300, `the creation was answered ${answer.status} ${answer.body}`);
    return this.locationOf(answer);
  }

  async append(
    url: string,
    offset: number,
    isComplete: boolean,
    body: Uint8Array,
    headers: Fields = {},
    part: Part = {},
  ): Promise<Answer> {
    return await this.send('PATCH', url, { ...this.appendFields(offset, isComplete), ...headers }, { body, ...part });
  }

  appendFields(offset: number, isComplete: boolean): Fields {
    return { 'content-type': PARTIAL_TYPE, 'upload-offset': String(offset), ...this.complete(isComplete) };
  }
}
