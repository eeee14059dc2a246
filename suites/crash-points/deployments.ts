/** What the crash points are reached on: each has a database and a storage of its own, and looks behind the server. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { findCluster, urlOf, whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import type { RunningService } from '../engines/running-service.ts';
import { missingService, startService } from '../engines/s3-service.ts';
import type { Ledger } from '../reliability/ledger.ts';
import { compareStored } from '../reliability/stored.ts';
import { findOrphans } from '../scale-out/stored-state.ts';
import type { Settings } from '../server-under-test.ts';

const MIB = 1024 * 1024;
export const DEPLOYMENTS = ['disk', 'shared', 'bucket'] as const;
export type DeploymentName = (typeof DEPLOYMENTS)[number];

export interface Deployment {
  readonly settings: Settings;
  readonly partSizeBytes: number;
  /** Files are published before their SHA-256 is known, where none was declared. */
  readonly hasLateDigests: boolean;
  /** So long passes that what a dead server had leased is free. */
  passTime(): Promise<void>;
  /** After a sweep: what is stored is what the ledger says, and nothing else. */
  compare(ledger: Ledger): Promise<void>;
}

let databases = 0;
let service: Promise<RunningService> | null = null;

/** Why it cannot be had here; null: it can. */
export function whyNoDeployment(name: DeploymentName): string | null {
  if (name === 'disk') return null;
  return whyNoCluster() ?? (name === 'bucket' ? missingService() || null : null);
}

/** @param folder of its own. */
export async function openDeployment(name: DeploymentName, folder: string): Promise<Deployment> {
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (name === 'disk') {
    return {
      settings: { CRYOLIFT_DATA_DIR: dataDir },
      partSizeBytes: MIB / 16,
      hasLateDigests: false,
      async passTime() {},
      compare: async (ledger) => compareStored(ledger, dataDir),
    };
  }
  const { run, url } = await findCluster();
  const database = `crash_${process.pid}_${++databases}`;
  await run(`create database ${database}`);
  const postgres = { url: urlOf(url, database) };
  const common = { CRYOLIFT_DATA_DIR: dataDir, CRYOLIFT_DATABASE_URL: postgres.url };
  const passTime = async () => await endLeases(postgres.url);
  if (name === 'shared') {
    const storage = join(folder, 'storage');
    return {
      settings: { ...common, CRYOLIFT_STORAGE_URL: `file:${storage}` },
      partSizeBytes: MIB / 16,
      hasLateDigests: true,
      passTime,
      compare: async (ledger) => compareStored(ledger, storage),
    };
  }
  service ??= startService();
  const seaweed = await service;
  return {
    settings: { ...common, ...seaweed.settings(database) },
    partSizeBytes: 5 * MIB,
    hasLateDigests: true,
    passTime,
    async compare(ledger) {
      for (const fault of await findOrphans({ postgres, seaweed, prefix: database })) {
        ledger.noteFault(null, fault);
      }
    },
  };
}

export async function stopServices(): Promise<void> {
  await (await service)?.stop();
  service = null;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A dead server keeps leases for 20 s, jobs and deliveries for 60 s. */
const END_LEASES = `
update leases set expires_at = 0;
update jobs set leased_until = 0 where status = 'running';
update deliveries set next_at = 0, due_at = 0 where due_at is not null;`;

async function endLeases(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query("select to_regclass('leases') is not null as is_there");
    // Not before the migrations.
    if (rows[0]?.is_there) await client.query(END_LEASES);
  } finally {
    await client.end();
  }
}
