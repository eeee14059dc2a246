/** The settings of a soaked server, and the scene that its clients share. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from '../faults/random.ts';
import { findPort } from '../program.ts';
import { Caller, type Weather } from '../reliability/caller.ts';
import { Gate } from '../reliability/gate.ts';
import { Ledger } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import type { OwnServer, Settings } from '../server-under-test.ts';
import { Disturbances } from './disturbances.ts';
import type { Place } from './place.ts';
import { startBadProxy } from './proxies.ts';
import type { SoakOptions } from './result.ts';
import { type Scene, STUCK_MS } from './scene.ts';
import { ALWAYS } from './server-faults.ts';
import { newTally } from './tally.ts';

const PRELOAD = fileURLToPath(new URL('./preload.mjs', import.meta.url));
const LONGEST_TTL_MS = 10 * 60_000;
/** No client is without a part for so long, on a busy machine either. */
const SHORTEST_TTL_MS = 15_000;
const MEMORY_MS = 30_000;

/**
 * The lifetime of an upload. The server removes nothing because of its age before it has run for so long, so it is far
 * below the time of the process that runs to the end.
 */
export function lifetimeMs({ durationMs }: SoakOptions): number {
  return Math.ceil(Math.min(LONGEST_TTL_MS, Math.max(SHORTEST_TTL_MS, durationMs * 0.3)) / 1000) * 1000;
}

/** Of the server, below the folder of the soak. */
export function temporaryFolder(folder: string): string {
  return join(folder, 'tmp');
}

/** Where preload.mjs writes. */
export function memoryFile(folder: string): string {
  return join(folder, 'memory.json');
}

export async function makeSettings(options: SoakOptions, place: Place, folder: string): Promise<Settings> {
  mkdirSync(temporaryFolder(folder));
  return {
    ...place.settings,
    CRYOLIFT_PORT: String(await findPort()),
    CRYOLIFT_ACCEPT: 'dat',
    CRYOLIFT_RATE_LIMIT: '1000000',
    CRYOLIFT_LOG_LEVEL: 'warn',
    CRYOLIFT_SESSION_TTL: `${lifetimeMs(options) / 1000}s`,
    NODE_OPTIONS: `--expose-gc --import ${PRELOAD}`,
    SOAK_MEMORY_FILE: memoryFile(folder),
    SOAK_MEMORY_MS: String(Math.min(MEMORY_MS, options.durationMs / 20)),
    TMPDIR: temporaryFolder(folder),
  };
}

export interface SetUp {
  readonly scene: Scene;
  /** Not through the gate. */
  readonly checks: Steps;
  /** Connections that have met a fault of a proxy, so far. */
  readonly badConnections: number;
  /** Since the start. */
  seconds(): number;
  close(): void;
}

/** @param over aborted when no new upload is to begin. @param fork makes a random of its own. */
export async function setUp(
  options: SoakOptions,
  place: Place,
  server: OwnServer,
  folder: string,
  over: AbortSignal,
  fork: () => Random,
): Promise<SetUp> {
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  const ledger = new Ledger();
  const weather: Weather = {
    away: false,
    troubles: ALWAYS,
    cuts: false,
    losses: false,
    commandsMayFail: true,
    lateDigests: place.hasLateDigests,
  };
  const caller = new Caller(server, ledger, weather);
  await caller.readDocument();
  const gate = new Gate();
  gate.open();
  const checks: Steps = { caller, ledger, weather, pass: (call) => call(), patienceMs: STUCK_MS };
  const disturbances = new Disturbances();
  let badConnections = 0;
  const onBad = () => {
    badConnections++;
    disturbances.strike();
  };
  const bad = await startBadProxy(server.url, fork(), 'all', onBad);
  const cut = await startBadProxy(server.url, fork(), 'cuts', onBad);
  const clientFolder = join(folder, 'clients');
  mkdirSync(clientFolder);
  const scene: Scene = {
    ledger,
    caller,
    weather,
    gate,
    steps: { ...checks, pass: (call) => gate.pass(call) },
    disturbances,
    tally: newTally(),
    url: server.url,
    badUrl: bad.url,
    cutUrl: cut.url,
    folder: clientFolder,
    partSizeBytes: place.partSizeBytes,
    mostBytes: options.mostBytes,
    pace: options.pace,
    over,
    token: (owner, ttlSeconds = 86_400) => server.token({ sub: owner, ttlSeconds }),
    note: (what) => appendFileSync(join(options.out, 'notes.log'), `${seconds().toFixed(1)} ${what}\n`),
  };
  return {
    scene,
    checks,
    get badConnections() {
      return badConnections;
    },
    seconds,
    close() {
      bad.close();
      cut.close();
    },
  };
}
