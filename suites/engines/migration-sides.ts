/** The two sides of a migration: a folder with SQLite, or PostgreSQL with a bucket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import type { Settings } from '../server-under-test.ts';
import { serviceAt } from './running-service.ts';
import { missingService } from './s3-service.ts';
import { findService } from './shared-service.ts';

export const options = { skip: whyNoCluster() ?? missingService(), timeout: 400_000 };

let prefixes = 0;

export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-migrate-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export function onDisk(folder: string): Settings {
  return {
    CRYOLIFT_DATA_DIR: folder,
    CRYOLIFT_DATABASE_URL: `sqlite:${join(folder, 'cryolift.sqlite')}`,
    CRYOLIFT_STORAGE_URL: `file:${folder}`,
  };
}

/** PostgreSQL and a prefix of a bucket; keys and audit in `folder`. @param endpoint another way to the service. */
export async function onEngines(
  t: TestContext,
  folder: string,
  endpoint?: (real: string) => Promise<string>,
): Promise<Settings & { CRYOLIFT_DATABASE_URL: string }> {
  const seaweed = await findService();
  const service = endpoint ? serviceAt(await endpoint(seaweed.endpoint)) : seaweed;
  return {
    CRYOLIFT_DATA_DIR: folder,
    CRYOLIFT_DATABASE_URL: await makePostgresUrl(t),
    ...service.settings(`migrate-${process.pid}-${++prefixes}`),
  };
}

/** The settings of the source, and the keys of the bucket of either side. */
export function environmentOf(source: Settings, target: Settings): Settings {
  return { ...target, ...source };
}

export function toTarget(target: Settings): string[] {
  const { CRYOLIFT_DATABASE_URL = '', CRYOLIFT_STORAGE_URL = '', CRYOLIFT_DATA_DIR = '' } = target;
  return ['--to', CRYOLIFT_DATABASE_URL, '--storage-to', CRYOLIFT_STORAGE_URL, '--data-dir-to', CRYOLIFT_DATA_DIR];
}
