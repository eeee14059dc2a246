/** A server with MRC files whose pictures and statistics are known, and the calls that read them. */
import assert from 'node:assert/strict';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord, Statistics } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { EventStream, type ReceivedEvent } from '../event-stream.ts';
import type { Call } from '../wire.ts';

export const server = await startServer({ CRYOLIFT_ACCEPT: 'txt' });

export const [NX, NY, NZ] = [160, 120, 40];

/** A volume whose voxels are x + 2 y + 3 z, so that all sections differ. */
export function makeVolume(fields: Parameters<typeof buildHeader>[0] | object = {}): Buffer {
  const voxels = new Float32Array(NX * NY * NZ);
  let at = 0;
  for (let z = 0; z < NZ; z++)
    for (let y = 0; y < NY; y++) for (let x = 0; x < NX; x++) voxels[at++] = x + 2 * y + 3 * z;
  const header = buildHeader({ nx: NX, ny: NY, nz: NZ, mode: 2, ispg: 1, m: [NX, NY, NZ], ...fields });
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

export async function statisticsOf(call: Call, file: FileRecord): Promise<Statistics> {
  for (;;) {
    const answer = await call('GET', `/files/${file.file_id}/statistics`);
    if (answer.status === 503) continue;
    assert.equal(answer.status, 200, answer.body.toString());
    return answer.json<Statistics>();
  }
}

export interface Shown {
  readonly statistics?: Statistics;
  readonly previews: { readonly url: string }[];
}

/** The kept events of an owner, up to the first of this type. */
export async function readKept(sub: string, type: string): Promise<ReceivedEvent<Shown>[]> {
  const stream = await EventStream.open<Shown>(server, '/events', { sub }, '0');
  const received: ReceivedEvent<Shown>[] = [];
  while (received.at(-1)?.type !== type) received.push((await stream.next()) as ReceivedEvent<Shown>);
  await stream.close();
  return received;
}

/** A cube as RELION writes volumes: ISPG 0, MZ as large as NZ. */
export function makeCube(): Buffer {
  const edge = 48;
  const header = buildHeader({
    nx: edge,
    ny: edge,
    nz: edge,
    mode: 2,
    m: [edge, edge, edge],
    cella: [edge, edge, edge],
  });
  const voxels = new Float32Array(edge ** 3).map((_, at) => (at % edge) + Math.floor(at / edge ** 2));
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

/** Signed bytes about 0, and a header that does not say what they are. */
export function makeSignedBytes(): Buffer {
  const header = buildHeader({ nx: 256, ny: 256, nz: 3, mode: 0, dmin: 0, dmax: 0, dmean: 0, rms: 0, nversion: 0 });
  const voxels = new Int8Array(256 * 256 * 3).map((_, at) => (at % 41) - 20);
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}
