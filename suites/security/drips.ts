/** Connections that send a byte at intervals and never finish a request (slow loris). */
import { connect, type Socket } from 'node:net';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { PART_BYTES, partPath } from '../contract/upload.ts';
import { printHead } from '../contract/wire.ts';
import type { Target } from '../server-under-test.ts';

export const DRIP_MS = 500;

export class Drips {
  readonly #sockets: Socket[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Half of them never finish a head, half never a body: of parts, which have time as long as something comes. */
  static async start(server: Target, upload: UploadRecord, count: number): Promise<Drips> {
    const drips = new Drips();
    const { hostname, port } = new URL(server.url);
    const authorization = `Bearer ${server.token({ sub: 'slow' })}`;
    for (let at = 0; at < count; at++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.resume();
      await new Promise((resolve) => socket.once('connect', resolve));
      const length = String(PART_BYTES);
      if (at % 2 === 0) socket.write('GET /limits HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      else socket.write(printHead('PUT', partPath(upload, at >> 1), { authorization, 'content-length': length }));
      drips.#sockets.push(socket);
    }
    drips.#timer = setInterval(() => {
      for (const socket of drips.#sockets) if (socket.writable) socket.write('x');
    }, DRIP_MS);
    return drips;
  }

  get open(): number {
    return this.#sockets.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}
