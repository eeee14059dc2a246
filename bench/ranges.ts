/** A client that reads a file in ranges and drops the bytes: into one block, so that it does not starve the server. */
import { MIB } from '@cryolift/protocol/plan';
import { connectTo } from './connection.ts';

/**
 * Each range on a connection of its own. @param fields of the requests, each with its CR LF.
 * @throws unless each answer is 206 with the bytes of its range.
 */
export async function receiveRanges(
  url: string,
  path: string,
  fields: string,
  sizeBytes: number,
  count: number,
): Promise<void> {
  const bounds = Array.from({ length: count + 1 }, (_, nr) => Math.floor((sizeBytes * nr) / count));
  const { host } = new URL(url);
  await Promise.all(
    Array.from({ length: count }, (_, nr) => {
      const [begin = 0, end = 0] = bounds.slice(nr);
      const range = `Range: bytes=${begin}-${end - 1}\r\n`;
      return receive(url, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${range}${fields}\r\n`, end - begin);
    }),
  );
}

async function receive(url: string, head: string, sizeBytes: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let answer = '';
  let left: number | null = null;
  const socket = await connectTo(url, {
    buffer: Buffer.allocUnsafeSlow(MIB),
    callback(count, block) {
      if (left !== null) {
        left -= count;
      } else {
        answer += Buffer.from(block.buffer, block.byteOffset, count).toString('latin1');
        const headBytes = answer.indexOf('\r\n\r\n') + 4;
        if (headBytes < 4) return true;
        if (!isRange(answer.slice(0, headBytes), sizeBytes)) reject(new Error(`${head} was answered ${answer}`));
        left = sizeBytes - (answer.length - headBytes);
      }
      if (left === 0) resolve();
      return true;
    },
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('the server closed the connection')));
  socket.write(head);
  await promise.finally(() => socket.destroy());
}

function isRange(head: string, sizeBytes: number): boolean {
  return / 206 /.test(head) && Number(/^content-length: (\d+)/im.exec(head)?.[1]) === sizeBytes;
}
