/** A bucket in memory behind the server of the tests, as far as parts are sent to it. Tests can change its answers. */

import type { Transport, WireReply, WireRequest } from '../ports.ts';
import { reply, type Tamper, type TestServer } from '../test-server.ts';

const ORIGIN = 'http://bucket';

interface Claim {
  part: number;
  etag: string;
  sha256: string;
}

export class TestBucket implements Transport {
  /** Parts that are stored and not confirmed. */
  readonly parts = new Map<number, Buffer>();
  /** How many parts each request signed, and confirmed. */
  readonly signed: number[] = [];
  readonly confirmed: number[] = [];
  putCount = 0;
  /** Answers a `PUT`, or simulates a fault. */
  tamper: (request: WireRequest, answer: () => WireReply) => WireReply | Promise<WireReply> = (_, answer) => answer();
  /** Answers a call of the server about direct parts, or simulates a fault. */
  tamperCall: Tamper = (_, answer) => answer();
  readonly #server: TestServer;

  constructor(server: TestServer) {
    this.#server = server;
    server.tamper = (request, answer) => this.#answerFor(request, answer);
  }

  async send(request: WireRequest): Promise<WireReply> {
    request.signal?.throwIfAborted();
    this.putCount++;
    return await this.tamper(request, () => {
      const part = Number(/part-(\d+)/.exec(request.path)?.[1]);
      this.parts.set(part, Buffer.from(request.body as Uint8Array));
      request.onSent?.(request.body?.length ?? 0);
      return { status: 200, headers: { etag: `"e${part}"` }, body: new Uint8Array() };
    });
  }

  #answerFor(request: WireRequest, answer: () => WireReply): WireReply | Promise<WireReply> {
    const { path, body } = request;
    const json = () => JSON.parse(Buffer.from(body as Uint8Array).toString()) as unknown;
    if (path === '/limits') return reply(200, { ...JSON.parse(Buffer.from(answer().body).toString()), direct: true });
    if (path.endsWith('/sign'))
      return this.tamperCall(request, () => this.#sign(json() as { parts: [number, number][] }));
    if (path.endsWith('/confirm')) return this.tamperCall(request, () => this.#confirm(json() as Claim[]));
    return answer();
  }

  #sign({ parts }: { parts: [number, number][] }): WireReply {
    this.signed.push(parts.length);
    const urls = parts.map(([part]) => ({
      part,
      method: 'PUT',
      url: `${ORIGIN}/part-${part}?signature=1`,
      headers: { 'Content-Length': '1', 'x-amz-checksum-sha256': 'c' },
      direct: true,
    }));
    return reply(200, { expires_at: '2026-11-29T12:00:00.000Z', urls, stored: [] });
  }

  #confirm(claims: Claim[]): WireReply {
    this.confirmed.push(claims.length);
    const { upload } = this.#server;
    const parts = claims.map(({ part, etag, sha256 }) => {
      const bytes = this.parts.get(part);
      if (!bytes || etag !== `"e${part}"`) return { part, outcome: 'missing', sha256: null };
      upload.parts.set(part, bytes);
      upload.status = 'uploading';
      return { part, outcome: 'stored', sha256 };
    });
    return reply(200, {
      parts,
      received_parts: upload.parts.size,
      received_bytes: 0,
      progress: 0,
      status: 'uploading',
    });
  }
}
