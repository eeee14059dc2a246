/**
 * The cost of the analysis during an upload: the same bytes as `.mrc`, which are analyzed, and as
 * `.raw`, which are not, in turns.
 *
 *   npm run bench:analysis-upload -- [GiB, default 4] [folder on the disk to measure, default: the temporary one]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHeader } from '@cryolift/mrc';
import { GIB, MIB } from '@cryolift/protocol/plan';
import { Connection, digestPayload, makePayload } from './connection.ts';
import { CryoliftClient, startServer } from './cryolift.ts';
import { makePlace } from './place.ts';
import { quantile } from './report/quantile.ts';

/** Seconds: until all parts were stored, and from the file's record until its statistics. */
interface Times {
  readonly sent: number;
  readonly known: number;
}

const ROUNDS = 5;
const CONNECTIONS = 4;
const PART_BYTES = 8 * MIB;
const gib = Number(process.argv[2] ?? 4);
const sizeBytes = gib * GIB;
const folder = makePlace(process.argv[3] ?? tmpdir());
const server = await startServer(join(folder, 'data'));
const client = new CryoliftClient(server);

try {
  await upload('warm.raw');
  const rounds: { raw: Times; mrc: Times }[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push({ raw: await upload('a.raw'), mrc: await upload('a.mrc') });
  const median = (pick: (round: { raw: Times; mrc: Times }) => number) => quantile(rounds.map(pick), 0.5);
  console.log(`${gib} GiB in parts of 8 MiB over ${CONNECTIONS} connections, median of ${ROUNDS} in turns:`);
  console.log(`  not analyzed  ${median(({ raw }) => raw.sent).toFixed(2)} s`);
  console.log(`  analyzed      ${median(({ mrc }) => mrc.sent).toFixed(2)} s`);
  console.log(
    `  slower by      ${(100 * (median(({ raw, mrc }) => mrc.sent / raw.sent) - 1)).toFixed(1)} % (median of the pairs); asked for: at most 10`,
  );
  console.log(`  statistics and pictures ${median(({ mrc }) => mrc.known).toFixed(2)} s after the file was published`);
  console.log(`  greatest resident memory ${Math.round(server.process.peakBytes() / 1e6)} MB`);
} finally {
  await server.process.stop();
}

async function upload(filename: string): Promise<Times> {
  const begin = performance.now();
  const upload = await client.open(sizeBytes, PART_BYTES, filename);
  const rows = (sizeBytes - 1024) / 4 / 1024;
  // Rows of 4 KiB, so that the file is of the header's size to the byte.
  const header = buildHeader({ nx: 1024, ny: Math.floor(rows), nz: 1, mode: 2, nsymbt: (rows % 1) * 4096 });
  const { slices } = makePayload(PART_BYTES);
  const head = Buffer.concat([header, slices[0]!.subarray(header.length)]);
  const first = { sizeBytes: PART_BYTES, slices: [head, ...slices.slice(1)] };
  const connection = await Connection.open(server.url);
  const digest = `Content-Digest: ${digestPayload(first)}\r\n`;
  await connection.expect([201], client.head('PUT', `/uploads/${upload.upload_id}/part/0`) + digest, first);
  connection.close();
  await client.sendParts([upload], CONNECTIONS, 1);
  const sent = (performance.now() - begin) / 1000;
  const { file_id } = await client.complete(upload);
  const published = performance.now();
  if (filename.endsWith('.mrc')) await client.call('GET', `/files/${file_id}/statistics`);
  const known = (performance.now() - published) / 1000;
  await client.call('DELETE', `/files/${file_id}`);
  return { sent, known };
}
