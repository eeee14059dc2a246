/** Raw connections, plain or TLS: so many bytes up, or an answer of which next to nothing is read. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { type Payload, writeSlices } from '../connection.ts';

const HEAD_END = '\r\n\r\n';
/** What a slow reader takes at a time, bytes. */
const SIP_BYTES = 16 * 1024;

/** @param url http or https; certificates are made for the run, and not verified. */
export async function connectTo(url: string): Promise<Socket> {
  const { protocol, hostname: host, port } = new URL(url);
  const isSecure = protocol === 'https:';
  const address = { host, port: Number(port) };
  const socket = isSecure ? connectSecurely({ ...address, rejectUnauthorized: false }) : connect(address);
  await once(socket, isSecure ? 'secureConnect' : 'connect');
  socket.setNoDelay();
  return socket;
}

export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

/** One request on a connection that has no other. @param head with its fields, without Host and Content-Length. */
export async function request(socket: Socket, head: string, payload: Payload): Promise<Answer> {
  const answered = readAnswer(socket);
  socket.write(`${head}Host: bench\r\nContent-Length: ${payload.sizeBytes}${HEAD_END}`);
  await Promise.all([writeSlices(socket, payload.slices), answered]);
  return await answered;
}

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

async function readAnswer(socket: Socket): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let text = '';
  const take = (bytes: Buffer) => {
    text += bytes.toString('latin1');
    const end = text.indexOf(HEAD_END);
    if (end < 0) return;
    const head = text.slice(0, end);
    const body = text.slice(end + HEAD_END.length);
    if (body.length < Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)) return;
    const location = /^location: *(.*)$/im.exec(head)?.[1] ?? null;
    resolve({ status: Number(head.split(' ')[1]), location, body });
  };
  const fail = (error?: Error) => reject(error ?? new Error(`closed after: ${text.slice(0, 200)}`));
  socket.on('data', take).on('error', fail).on('close', fail);
  return await promise.finally(() => socket.off('data', take).off('error', fail).off('close', fail));
}
