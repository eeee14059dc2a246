/** A client that reads an answer slowly. */
import { once } from 'node:events';
import type { Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
/** What a slow reader takes at a time, bytes. */
const SIP_BYTES = 16 * 1024;

/**
 * Asks for a body and reads a little of it now and then.
 *
 * @returns what ends the reading; null when the server refuses.
 */
export async function readSlowly(socket: Socket, head: string, everyMs: number): Promise<(() => void) | null> {
  socket.write(`${head}Host: bench${HEAD_END}`);
  await once(socket, 'readable');
  const [status] = (socket.read() as Buffer).toString('latin1').split('\r\n');
  // Of tusd 500: it locks a file that is read.
  if (/ 50[03] /.test(status ?? '')) {
    socket.destroy();
    return null;
  }
  if (!status?.includes(' 200 ')) throw new Error(`${head.split('\r\n')[0]} was answered ${status}`);
  const timer = setInterval(() => socket.read(Math.min(socket.readableLength, SIP_BYTES)), everyMs);
  return () => {
    clearInterval(timer);
    socket.destroy();
  };
}
