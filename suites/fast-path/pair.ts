/** Two servers that differ only in the path of requests: one with the fast path, one with only `node:http`. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { makeCertificate } from '../certificate.ts';
import { type Call, callWith } from '../contract/wire.ts';
import { type Settings, startServer, type Target } from '../server-under-test.ts';

/** Placeholders in requests. Their values have the same length for both servers. */
export const UPLOAD = '{upload}';
export const TOKEN = '{token}';
/** The file of that upload, and its one part. */
export const BODY = '12345';

/** A server, and an upload there. */
export interface Place {
  readonly url: string;
  readonly call: Call;
  readonly token: string;
  readonly uploadId: string;
  fill(text: string): string;
}

export interface Pair {
  /** Both servers take it. */
  readonly sign: Target['token'];
  readonly fast: Place;
  readonly standard: Place;
  discard(): Promise<void>;
}

/** @param settings of both servers. With `CRYOLIFT_TEST_TLS=true`, both speak TLS. */
export async function startPair(settings: Settings = {}): Promise<Pair> {
  const usual = { CRYOLIFT_ACCEPT: '.raw', CRYOLIFT_LOG_LEVEL: 'error', CRYOLIFT_RATE_LIMIT: '1000000' };
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-pair-'));
  const both = { ...usual, ...(process.env.CRYOLIFT_TEST_TLS ? tlsSettings(folder) : {}), ...settings };
  const servers = await Promise.all([startServer(both), startServer({ ...both, CRYOLIFT_FAST_LANE: 'false' })]);
  rmSync(folder, { recursive: true });
  return await pairUp(...servers);
}

function tlsSettings(folder: string): Settings {
  const { cert, key } = makeCertificate(folder, 'pair');
  return { CRYOLIFT_TLS_CERT: cert, CRYOLIFT_TLS_KEY: key };
}

/** Takes two servers that have one secret, and stores a file of one part in both. */
async function pairUp(fast: Target, standard: Target): Promise<Pair> {
  const token = fast.token({ sub: `owner-${randomUUID()}` });
  const [fastPlace, standardPlace] = await Promise.all([settle(fast, token), settle(standard, token)]);
  return {
    sign: (claims) => fast.token(claims),
    fast: fastPlace,
    standard: standardPlace,
    async discard() {
      await Promise.all([fast.discard(), standard.discard()]);
    },
  };
}

async function settle({ url }: Target, token: string): Promise<Place> {
  const call = callWith({ url }, { authorization: `Bearer ${token}` });
  const uploadId = await openRaw(call, BODY.length);
  const stored = await call('PUT', `/uploads/${uploadId}/part/0`, { body: BODY });
  if (stored.status !== 201) throw new Error(stored.body.toString());
  return placeAt({ url, call, token }, uploadId);
}

function placeAt(from: Pick<Place, 'url' | 'call' | 'token'>, uploadId: string): Place {
  const { url, call, token } = from;
  return { url, call, token, uploadId, fill: (text) => text.replaceAll(UPLOAD, uploadId).replaceAll(TOKEN, token) };
}

/** The same servers, with a new upload in each, of which nothing is stored. */
export async function openUploads(pair: Pair, sizeBytes: number): Promise<Pair> {
  const [fast, standard] = await Promise.all(
    [pair.fast, pair.standard].map(async (place) => placeAt(place, await openRaw(place.call, sizeBytes))),
  );
  return { ...pair, fast: fast as Place, standard: standard as Place };
}

/** A new upload of a file that is no MRC file, in the smallest parts. @throws Error when it is refused. */
async function openRaw(call: Call, sizeBytes: number): Promise<string> {
  const json = { filename: 'frames.raw', size: sizeBytes, part_size: 64 * 1024 };
  const answer = await call('POST', '/uploads/init', { json });
  if (answer.status !== 201) throw new Error(answer.body.toString());
  return answer.json<UploadRecord>().upload_id;
}
