/** A cheap client: one buffer for every part, no hashing, so that it does not starve the server it measures. */
import { Agent, request } from 'node:http';
import type { Session } from '@cryolift/protocol/messages';
import type { ServerProcess } from './server-process.ts';

export interface Load {
  sizeBytes: number;
  partSizeBytes: number;
  connections: number;
}

export interface Answer<Body> {
  status: number;
  body: Body;
}

export class LoadClient {
  readonly #server: ServerProcess;
  readonly #agent: Agent;

  constructor(server: ServerProcess, connections: number) {
    this.#server = server;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  async call<Body>(method: string, path: string, body?: Uint8Array | object): Promise<Answer<Body>> {
    const bytes = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Body>>();
    const headers: Record<string, string | number> = { authorization: `Bearer ${this.#server.token}` };
    if (bytes) headers['content-length'] = bytes.length;
    if (bytes && bytes !== body) headers['content-type'] = 'application/json';
    const sent = request(`${this.#server.url}${path}`, { method, agent: this.#agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: (text === '' ? null : JSON.parse(text)) as Body });
      });
    });
    sent.on('error', reject);
    sent.end(bytes);
    return await promise;
  }

  /** Opens a session and sends all its parts; the caller completes it. */
  async sendParts({ sizeBytes, partSizeBytes, connections }: Load): Promise<Session> {
    const init = { filename: 'bench.raw', size: sizeBytes, part_size: partSizeBytes };
    const { body: session } = await this.call<Session>('POST', '/uploads/init', init);
    const bytes = Buffer.alloc(session.part_size, 'cryolift');
    let next = 0;
    const send = async () => {
      while (next < session.part_count) {
        const idx = next++;
        const length = Math.min(session.part_size, sizeBytes - idx * session.part_size);
        const path = `/uploads/${session.upload_id}/part/${idx}`;
        const { status } = await this.call('PUT', path, bytes.subarray(0, length));
        if (status !== 201) throw new Error(`part ${idx} was answered ${status}`);
      }
    };
    await Promise.all(Array.from({ length: connections }, send));
    return session;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
