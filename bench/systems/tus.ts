/** The FileStore has no concatenation, so that several connections have to be several uploads. */
import { MeasuredProcess } from '../process.ts';
import { type StreamProtocol, sendStreams } from '../streams.ts';
import type { System } from './system.ts';

const SERVER = new URL('../peers/tus.js', import.meta.url).pathname;
const RESUMABLE = 'Tus-Resumable: 1.0.0\r\n';

const PROTOCOL: StreamProtocol = {
  async create(connection, _nr, sizeBytes) {
    const head = `POST /files HTTP/1.1\r\n${RESUMABLE}Upload-Length: ${sizeBytes}\r\nContent-Length: 0\r\n`;
    const { headers } = await connection.expect([201], head);
    return new URL(headers.get('location') ?? '', 'http://bench').pathname;
  },
  append(connection, path, offset, _sizeBytes, payload) {
    const type = 'Content-Type: application/offset+octet-stream\r\n';
    const head = `PATCH ${path} HTTP/1.1\r\n${RESUMABLE}${type}Upload-Offset: ${offset}\r\n`;
    return connection.expect([204], head, payload);
  },
};

export async function startTus(folder: string): Promise<{ process: MeasuredProcess; url: string }> {
  const server = new MeasuredProcess(process.execPath, [SERVER, folder]);
  return { process: server, url: await server.readUrl() };
}

export const TUS: System = {
  name: 'tus',
  what: '`@tus/server` with its file store: no checksum; one upload per connection',
  async start(folder, load) {
    const { process, url } = await startTus(folder);
    return { process, send: () => sendStreams(url, load, PROTOCOL) };
  },
};
