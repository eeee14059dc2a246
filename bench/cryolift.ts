/** A Cryolift server to be measured, and what a client says to it. */
import { createHmac } from 'node:crypto';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { Connection, digestPayload, makePayload, overConnections, type Payload } from './connection.ts';
import { MeasuredProcess } from './process.ts';

const SECRET = 'a secret of the benchmarks, 32 bytes+';
export const CLI = new URL('../packages/cli/bin/cryolift.js', import.meta.url).pathname;

/** Those that every benchmark has. */
export const SETTINGS: Readonly<Record<string, string>> = {
  CRYOLIFT_JWT_SECRET: SECRET,
  CRYOLIFT_ACCEPT: 'raw',
  CRYOLIFT_LOG_LEVEL: 'error',
  // What is measured is the server, not its limit.
  CRYOLIFT_RATE_LIMIT: '1000000',
};

/** Where a client gets to a server, and with what. */
interface Access {
  readonly url: string;
  readonly token: string;
}

export interface Server extends Access {
  readonly process: MeasuredProcess;
}

/** @param env more settings. */
export async function startServer(dataDir: string, env: Record<string, string> = {}): Promise<Server> {
  const process = new MeasuredProcess(
    globalThis.process.execPath,
    [CLI, 'serve', '--port', '0', '--data-dir', dataDir],
    { ...SETTINGS, ...env },
  );
  return { process, url: await process.readUrl(), token: signToken() };
}

export class CryoliftClient {
  readonly #server: Access;
  readonly #authorization: string;

  constructor(server: Access) {
    this.#server = server;
    this.#authorization = `Authorization: Bearer ${server.token}\r\n`;
  }

  /** Of a request, for a connection of one's own. */
  head(method: string, path: string): string {
    return `${method} ${path} HTTP/1.1\r\n${this.#authorization}`;
  }

  /** On a connection of its own, since the server closes those that have been idle. @throws unless the answer is 2xx. */
  async call(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const json = body && Buffer.from(JSON.stringify(body));
    const payload = json && { sizeBytes: json.length, slices: [json] };
    const connection = await Connection.open(this.#server.url);
    try {
      const head = this.head(method, path) + (json ? 'Content-Type: application/json\r\n' : '');
      const { status, body: text } = await connection.expect([200, 201, 202, 204], head, payload);
      return { status, text };
    } finally {
      connection.close();
    }
  }

  async open(sizeBytes: number, partBytes: number, filename = 'bench.raw'): Promise<UploadRecord> {
    const init = { filename, size: sizeBytes, part_size: partBytes };
    return JSON.parse((await this.call('POST', '/uploads/init', init)).text) as UploadRecord;
  }

  /**
   * Sends the parts of all the uploads in the order of their indexes, a part of each upload in turn.
   * @param first the index to begin with. @returns bytes sent.
   */
  async sendParts(uploads: readonly UploadRecord[], connections: number, first = 0): Promise<number> {
    const sizes = new Set(uploads.flatMap((upload) => [upload.part_size, lastPartBytes(upload)]));
    const bodies = new Map([...sizes].map((sizeBytes) => [sizeBytes, this.#prepare(sizeBytes)]));
    let sentBytes = 0;
    const parts = eachPart(uploads, first);
    await overConnections(this.#server.url, connections, async (connection) => {
      for (const { upload, idx } of parts) {
        const isLast = idx === upload.part_count - 1;
        const { payload, fields } = bodies.get(isLast ? lastPartBytes(upload) : upload.part_size)!;
        const head = `PUT /uploads/${upload.upload_id}/part/${idx} HTTP/1.1\r\n${fields}`;
        await connection.expect([201], head, payload);
        sentBytes += payload.sizeBytes;
      }
    });
    return sentBytes;
  }

  /** Asks until the file is published. */
  async complete({ upload_id }: UploadRecord): Promise<FileRecord> {
    for (;;) {
      const { status, text } = await this.call('POST', `/uploads/${upload_id}/complete`);
      if (status === 200) return JSON.parse(text) as FileRecord;
    }
  }

  #prepare(sizeBytes: number): { payload: Payload; fields: string } {
    const payload = makePayload(sizeBytes);
    return { payload, fields: `${this.#authorization}Content-Digest: ${digestPayload(payload)}\r\n` };
  }
}

function* eachPart(uploads: readonly UploadRecord[], first: number): Generator<{ upload: UploadRecord; idx: number }> {
  const count = Math.max(...uploads.map((upload) => upload.part_count));
  for (let idx = first; idx < count; idx++) {
    for (const upload of uploads) if (idx < upload.part_count) yield { upload, idx };
  }
}

function lastPartBytes({ size, part_size, part_count }: UploadRecord): number {
  return size - (part_count - 1) * part_size;
}

export function signToken(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 12 * 3600;
  const scope = 'uploads:write files:read files:delete';
  const signed = `${encode({ alg: 'HS256' })}.${encode({ sub: 'bench', scope, exp })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}
