/** The servers of tus 1.0 that the checks are run against. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPeers } from '../../../bench/peers.ts';
import { findCryolift } from '../cryolift.ts';
import { exchange, type Fields } from '../exchange.ts';
import { startTusNodeServer } from '../peers/tus-node-server.ts';
import { startTusd } from '../peers/tusd.ts';
import type { TusServer } from './tus-server.ts';

const DAY_MS = 86_400_000;

export interface RunningTusServer extends TusServer {
  stop(): Promise<void>;
}

/** A peer answers GET of an upload with its bytes. */
async function readByGet(uploadUrl: string): Promise<Buffer> {
  const { status, body } = await exchange({ method: 'GET', url: uploadUrl });
  if (status !== 200) throw new Error(`GET ${uploadUrl} was answered ${status}`);
  return body;
}

export async function startPeerTusd(): Promise<RunningTusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-tusd-'));
  const { url, stop } = await startTusd(folder);
  return { name: 'tusd', url, headers: {}, expiring: null, read: readByGet, stop: () => end(folder, [stop]) };
}

export async function startPeerTusNodeServer(): Promise<RunningTusServer> {
  installPeers();
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-tus-node-'));
  const [lasting, expiring] = await Promise.all([
    startTusNodeServer(join(folder, 'lasting'), DAY_MS),
    startTusNodeServer(join(folder, 'expiring'), 1000),
  ]);
  return {
    name: '@tus/server',
    url: lasting.url,
    headers: {},
    expiring: { url: expiring.url, headers: {} },
    read: readByGet,
    stop: () => end(folder, [lasting.stop, expiring.stop]),
  };
}

export async function startCryoliftTus(): Promise<RunningTusServer> {
  const [lasting, expiring] = await Promise.all([findCryolift(), findCryolift({ CRYOLIFT_SESSION_TTL: '1s' })]);
  const at = ({ url, headers }: { url: string; headers: Fields }) => ({ url: `${url}/tus`, headers });
  return {
    name: 'Cryolift',
    ...at(lasting),
    expiring: at(expiring),
    read: (uploadUrl) => lasting.read(uploadUrl),
    stop: async () => void (await Promise.all([lasting.stop(), expiring.stop()])),
  };
}

async function end(folder: string, stops: readonly (() => Promise<void>)[]): Promise<void> {
  await Promise.all(stops.map((stop) => stop()));
  rmSync(folder, { recursive: true, force: true });
}
