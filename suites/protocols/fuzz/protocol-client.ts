/** What both protocols have in common for a fuzzer: an upload that grows by appends, and its offset. */

import { digestHeader } from '../../contract/sample.ts';
import type { Answer } from '../exchange.ts';
import { ResumableCalls, type ResumableServer } from '../resumable/resumable-server.ts';
import { checksum } from '../tus/checksum.ts';
import { OFFSET_TYPE, TusCalls, type TusServer } from '../tus/tus-server.ts';

/** How the bytes are covered by a digest. */
export type Cover = 'none' | 'right' | 'wrong' | 'garbage';

export interface Append {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly cover: Cover;
  readonly chunked: boolean;
  /** Ends the connection after so many of the bytes; null: it does not. */
  readonly cutAfter: number | null;
}

export interface ProtocolClient {
  readonly name: string;
  /** @returns the URL of a new upload of this length. */
  create(lengthBytes: number): Promise<string>;
  /** @returns null when the connection was cut. */
  append(url: string, append: Append): Promise<Answer | null>;
  /** Ends the upload, which has all its bytes. */
  finish(url: string, lengthBytes: number): Promise<void>;
  head(url: string): Promise<Answer>;
  read(url: string): Promise<Buffer>;
  /** Any request. */
  send(method: string, url: string, headers: Record<string, string>, body?: Uint8Array): Promise<Answer>;
  readonly url: string;
}

export function tusClient(server: TusServer): ProtocolClient {
  const calls = new TusCalls(server);
  return {
    name: 'tus',
    url: server.url,
    create: (length) => calls.create({ 'upload-length': String(length) }),
    async append(url, { offset, bytes, cover, chunked, cutAfter }) {
      const value = { none: '', right: checksum('sha1', bytes), wrong: checksum('sha1', of(bytes)), garbage: 'sha1 !' }[
        cover
      ];
      const fields = { 'content-type': OFFSET_TYPE, 'upload-offset': String(offset), 'upload-checksum': value };
      if (cutAfter === null) return await calls.send('PATCH', url, fields, { body: bytes, chunked });
      (await calls.sendPartly('PATCH', url, fields, bytes, cutAfter)).cut();
      return null;
    },
    finish: async () => {},
    head: (url) => calls.head(url),
    read: (url) => server.read(url),
    send: (method, url, headers, body) => calls.send(method, url, headers, body ? { body } : {}),
  };
}

export function resumableClient(server: ResumableServer): ProtocolClient {
  const calls = new ResumableCalls(server);
  return {
    name: `resumable ${server.version}`,
    url: server.url,
    create: (length) => calls.create(new Uint8Array(), { 'upload-length': String(length) }),
    async append(url, { offset, bytes, cover, chunked, cutAfter }) {
      const value = { none: '', right: digestHeader(bytes), wrong: digestHeader(of(bytes)), garbage: 'sha-256=x' }[
        cover
      ];
      const fields = { ...calls.appendFields(offset, false), 'content-digest': value };
      if (cutAfter === null) return await calls.send('PATCH', url, fields, { body: bytes, chunked });
      (await calls.sendPartly('PATCH', url, fields, bytes, cutAfter)).cut();
      return null;
    },
    async finish(url, length) {
      const { status, body } = await calls.append(url, length, true, new Uint8Array());
      if (status >= 300) throw new Error(`the end was answered ${status} ${body}`);
    },
    head: (url) => calls.head(url),
    read: (url) => server.read(url),
    send: (method, url, headers, body) => calls.send(method, url, headers, body ? { body } : {}),
  };
}

/** Other bytes. */
function of(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.from('x')]);
}
