/** The FileStore has no concatenation, so that several connections have to be several uploads. */
import { MeasuredProcess } from '../process.ts';
import { type StreamProtocol, sendStreams } from '../streams.ts';
import type { System } from './system.ts';

const SERVER = new URL('../peers/tus.js', import.meta.url).pathname;
const RESUMABLE = 'Tus-Resumable: 1.0.0\r\n';

/**
 * @param path where uploads are created. @param fields of every request, each with its CR LF.
 * @param created more of them, of the creation.
 */
export function tusProtocol(path: string, fields = '', created = ''): StreamProtocol {
  const own = RESUMABLE + fields;
  return {
    async create(connection, _nr, sizeBytes) {
      const named = `Upload-Metadata: filename ${Buffer.from('bench.raw').toString('base64')}\r\n`;
      const head = `POST ${path} HTTP/1.1\r\n${own}${created}${named}Upload-Length: ${sizeBytes}\r\nContent-Length: 0\r\n`;
      const { headers } = await connection.expect([201], head);
      return new URL(headers.get('location') ?? '', 'http://bench').pathname;
    },
    append(connection, upload, offset, _sizeBytes, payload) {
      const type = 'Content-Type: application/offset+octet-stream\r\n';
      const head = `PATCH ${upload} HTTP/1.1\r\n${own}${type}Upload-Offset: ${offset}\r\n`;
      return connection.expect([204], head, payload);
    },
  };
}

export async function startTus(folder: string): Promise<{ process: MeasuredProcess; url: string }> {
  const server = new MeasuredProcess(process.execPath, [SERVER, folder]);
  return { process: server, url: await server.readUrl() };
}

export const TUS: System = {
  name: 'tus',
  what: '`@tus/server` with its file store: no checksum; one upload per connection',
  kind: 'upload',
  floor: 'floor',
  async start(folder, load) {
    const { process, url } = await startTus(folder);
    return { process, send: () => sendStreams(url, load, tusProtocol('/files')) };
  },
};
