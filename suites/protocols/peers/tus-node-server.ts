/** `@tus/server` of npm with its file store, from the packages of the benchmarks. */
import { join } from 'node:path';
import { PEERS } from '../../../bench/peers.ts';
import { MeasuredProcess } from '../../../bench/process.ts';
import type { RunningPeer } from './tusd.ts';

const SERVER = join(PEERS, 'tus.js');

/** Below `folder`. @param expiresMs of each upload. */
export async function startTusNodeServer(folder: string, expiresMs: number): Promise<RunningPeer> {
  const server = new MeasuredProcess(process.execPath, [SERVER, folder, String(expiresMs)]);
  return { url: `${await server.readUrl()}/files`, stop: () => server.stop() };
}
