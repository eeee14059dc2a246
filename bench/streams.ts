/** For peers that take a file only from its beginning to its end: one upload after another on each connection. */
import { type Connection, makePayload, overConnections, type Payload } from './connection.ts';
import type { Load } from './load.ts';

type Streams = Pick<Load, 'files' | 'fileBytes' | 'partBytes' | 'connections'>;

export interface StreamProtocol {
  /** @returns the path that the bytes go to. */
  create(connection: Connection, nr: number, sizeBytes: number): Promise<string>;
  append(connection: Connection, path: string, offset: number, sizeBytes: number, payload: Payload): Promise<unknown>;
}

/**
 * A single file is cut into one upload per connection, since these peers cannot take its parts in parallel; of many files
 * each connection has its share, and sends a part of each in turn.
 * @returns bytes sent.
 */
export async function sendStreams(url: string, load: Streams, protocol: StreamProtocol): Promise<number> {
  const { files, fileBytes, partBytes, connections } = load;
  const uploads = files === 1 ? connections : files;
  const partCount = Math.max(1, Math.floor((files * fileBytes) / uploads / partBytes));
  const sizeBytes = partCount * partBytes;
  const payload = makePayload(partBytes);
  await overConnections(url, connections, async (connection, first) => {
    const paths: string[] = [];
    for (let nr = first; nr < uploads; nr += connections) paths.push(await protocol.create(connection, nr, sizeBytes));
    for (let offset = 0; offset < sizeBytes; offset += partBytes) {
      for (const path of paths) await protocol.append(connection, path, offset, sizeBytes, payload);
    }
  });
  return uploads * sizeBytes;
}
