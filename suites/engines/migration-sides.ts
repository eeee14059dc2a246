/** The two sides of a migration: a folder with SQLite, or PostgreSQL with a bucket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import type { Settings } from '../server-under-test.ts';
import { missingSeaweed, type RunningSeaweed, startSeaweed } from './seaweedfs.ts';

export const options = { skip: whyNoCluster() ?? missingSeaweed(), timeout: 400_000 };

let starting: Promise<RunningSeaweed> | null = null;
let prefixes = 0;
after(async () => await (await starting)?.stop());

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
  starting ??= startSeaweed();
  const seaweed = await starting;
  const storage = new URL(seaweed.storageUrl(`migrate-${process.pid}-${++prefixes}`));
  if (endpoint) storage.searchParams.set('endpoint', await endpoint(seaweed.endpoint));
  return {
    CRYOLIFT_DATA_DIR: folder,
    CRYOLIFT_DATABASE_URL: await makePostgresUrl(t),
    CRYOLIFT_STORAGE_URL: storage.href,
    CRYOLIFT_S3_ACCESS_KEY_ID: seaweed.credentials.accessKeyId,
    CRYOLIFT_S3_SECRET_ACCESS_KEY: seaweed.credentials.secretAccessKey,
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
