/** Where the soaked server keeps its data: on a disk of its own with SQLite, or in PostgreSQL and a bucket. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { startCluster, whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { missingService, startService } from '../engines/s3-service.ts';
import { Volume, whyNot } from '../reliability/volume.ts';
import type { Settings } from '../server-under-test.ts';
import { openPostgres, openSqlite, type SoakDatabase } from './database.ts';
import { listFiles, measureFolder, type Stored } from './samples.ts';

export const DEPLOYMENTS = ['disk', 'postgres-s3'] as const;
export type DeploymentName = (typeof DEPLOYMENTS)[number];

const MIB = 1024 * 1024;
/** In the bucket. */
const PREFIX = 'soak';

export interface Place {
  readonly settings: Settings;
  /** The smallest that the storage takes. */
  readonly partSizeBytes: number;
  /** A file may be published before its SHA-256 is known. */
  readonly hasLateDigests: boolean;
  /** The data folder of the server. */
  readonly dataDir: string;
  /** Fills the disk of the bytes and the database to the last byte; null: there is no disk for that. */
  readonly fill: (() => void) | null;
  free(): void;
  /** Opened after the first start of the server. */
  openDatabase(): Promise<SoakDatabase>;
  measure(): Promise<Stored>;
  /** @returns a line for each thing in the storage. Without uploads and files, there is none. */
  listLeft(): Promise<string[]>;
  /** After the server has ended. */
  remove(): Promise<void>;
}

/** Why it cannot be had here; null: it can. */
export function whyNoPlace(name: DeploymentName): string | null {
  return name === 'disk' ? null : (whyNoCluster() ?? (missingService() || null));
}

/** @param folder that exists, for everything that is not on a disk of its own. */
export async function openPlace(name: DeploymentName, folder: string): Promise<Place> {
  return name === 'disk' ? await openDisk(folder) : await openServices(folder);
}

async function openDisk(folder: string): Promise<Place> {
  const volume = whyNot('ext4') === null ? Volume.create('ext4', 'large') : null;
  const root = volume?.path ?? folder;
  const dataDir = join(root, 'data');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  const folders = ['staging', 'files', 'previews'].map((each) => join(dataDir, each));
  return {
    settings: { CRYOLIFT_DATA_DIR: dataDir },
    partSizeBytes: MIB / 16,
    hasLateDigests: false,
    dataDir,
    fill: volume ? () => fill(volume) : null,
    free: () => volume?.free(),
    openDatabase: async () => openSqlite(join(dataDir, 'cryolift.sqlite')),
    async measure() {
      const found = folders.map(measureFolder);
      return found.reduce((sum, each) => ({ files: sum.files + each.files, bytes: sum.bytes + each.bytes }));
    },
    listLeft: async () => folders.flatMap(listFiles),
    async remove() {
      await volume?.unmount();
      volume?.remove();
    },
  };
}

/** Most of it at once: bytes that are reserved need not be written. */
function fill(volume: Volume): void {
  const { bavail, bsize } = statfsSync(volume.path);
  spawnSync('fallocate', ['--length', String(bavail * bsize), join(volume.path, 'ballast')]);
  volume.fill();
}

async function openServices(folder: string): Promise<Place> {
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const [cluster, service] = await Promise.all([startCluster({ fsync: true }), startService()]);
  const { endpoint, region, credentials, bucket: Bucket } = service;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const listObjects = async () => {
    const objects: { key: string; size: number }[] = [];
    for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: `${PREFIX}/` })) {
      objects.push(...(page.Contents ?? []).map(({ Key = '', Size = 0 }) => ({ key: Key, size: Size })));
    }
    return objects;
  };
  return {
    settings: { CRYOLIFT_DATA_DIR: dataDir, CRYOLIFT_DATABASE_URL: cluster.url, ...service.settings(PREFIX) },
    partSizeBytes: 5 * MIB,
    hasLateDigests: true,
    dataDir,
    fill: null,
    free() {},
    openDatabase: () => openPostgres(cluster.url),
    async measure() {
      const objects = await listObjects();
      return { files: objects.length, bytes: objects.reduce((sum, { size }) => sum + size, 0) };
    },
    async listLeft() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: PREFIX }));
      const keys = (await listObjects()).map(({ key }) => key).filter((key) => !isOwn(key));
      return [...keys, ...Uploads.map(({ Key }) => `the multipart upload of ${Key}`)];
    },
    async remove() {
      client.destroy();
      await Promise.all([cluster.stop(), service.stop()]);
    },
  };
}

/** Not of an upload: what the server keeps about the bucket itself. */
function isOwn(key: string): boolean {
  return !['staging', 'files', 'previews', 'pieces'].includes(key.split('/')[1] ?? '');
}
