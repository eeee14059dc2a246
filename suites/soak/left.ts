/** What is there when nothing is left to do: nothing of uploads and files, in no place. */
import { setTimeout as sleep } from 'node:timers/promises';
import { compareLists, sweep } from '../reliability/checks.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import type { OwnServer } from '../server-under-test.ts';
import { passTime, type SoakDatabase } from './database.ts';
import type { Place } from './place.ts';
import { listDescriptors, listFiles } from './samples.ts';
import type { Scene } from './scene.ts';

/** Tables that are empty without uploads and files. */
const EMPTY = [
  ...['uploads', 'parts', 'signed_parts', 'appends', 'pieces', 'files', 'idempotency_keys'],
  ...['events', 'links', 'jobs', 'deliveries'],
];
/** What the server keeps about itself. */
const MOST_FACTS = 20;
/** Connections of clients that have ended are closed, jobs are done. */
const CALM_MS = 60_000;
const POLL_MS = 500;

interface Behind {
  readonly place: Place;
  readonly database: SoakDatabase;
  readonly server: OwnServer;
  readonly temporaryFolder: string;
}

interface Last extends Behind {
  readonly scene: Scene;
  /** The clients have ended. */
  readonly checks: Steps;
  /** After so long a time the server takes its clock for right, and removes what is old. */
  readonly settledMs: number;
}

/** Everything gets old, and housekeeping removes it. What is left is noted as a fault. */
export async function checkLeft(last: Last): Promise<void> {
  const { scene, checks, database, settledMs } = last;
  const owners = new Set(scene.ledger.entries.map(({ plan }) => plan.owner));
  for (const owner of owners) await compareLists(checks, owner);
  for (const deadlineMs = performance.now() + settledMs + CALM_MS; ; await sleep(POLL_MS)) {
    // Open uploads expire in one round, and are old in the next one.
    await passTime(database, { endedMs: 0, openMs: 0 });
    await sweep(checks);
    const left = await findLeft(last);
    if (left.length === 0) return;
    if (performance.now() < deadlineMs) continue;
    for (const each of left) scene.ledger.noteFault(null, `left at the end: ${each}`);
    return;
  }
}

/** @returns a line for everything that is there. */
export async function findLeft({ place, database, server, temporaryFolder }: Behind): Promise<string[]> {
  const rows = await database.countRows();
  const used = await database.count('select count(*) from owner_usage where files <> 0 or bytes <> 0');
  const [facts = 0, leases = 0] = [rows.facts, rows.leases];
  const folders = ['staging', 'files', 'previews', 'tmp'].map((name) => `${place.dataDir}/${name}/`);
  const isOfUploads = (target: string) =>
    folders.some((folder) => target.startsWith(folder)) || target.endsWith('(deleted)');
  return [
    ...EMPTY.filter((table) => rows[table] !== 0).map((table) => `${rows[table]} rows of ${table}`),
    ...(used === 0 ? [] : [`${used} owners whose usage is not 0`]),
    ...(facts <= MOST_FACTS ? [] : [`${facts} rows of facts`]),
    ...(leases <= MOST_FACTS ? [] : [`${leases} rows of leases`]),
    ...(await place.listLeft()).map((path) => `in the storage, ${path}`),
    ...listFiles(temporaryFolder).map((path) => `a temporary file, ${path}`),
    ...listDescriptors(server.pid)
      .filter(isOfUploads)
      .map((target) => `an open file, ${target}`),
  ];
}
