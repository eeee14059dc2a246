/** Pictures of files. */
import assert from 'node:assert/strict';
import { eventually } from '../upload.ts';
import type { Answer, Call } from '../wire.ts';

/** Asks again while the server is busy with other pictures. */
export async function getPicture(call: Call, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return await eventually(
    () => call('GET', path, { headers }),
    ({ status }) => status !== 503,
  );
}

/** Width and height from a PNG's head. */
export function sizeOf({ body, headers, status }: Answer): [number, number] {
  assert.equal(status, 200, body.toString().slice(0, 300));
  assert.equal(headers['content-type'], 'image/png');
  assert.equal(body.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  return [body.readUInt32BE(16), body.readUInt32BE(20)];
}
