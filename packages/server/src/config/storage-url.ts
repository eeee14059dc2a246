/** Which storage the settings name: `file:PATH` or `s3://BUCKET/PREFIX?…`. */
import type { DatabaseConfig } from './database-url.ts';
import { SettingError } from './setting-error.ts';
import { parseBoolean, parseLocalUrl, parseWebUrl } from './values.ts';

interface S3Url {
  readonly kind: 's3';
  readonly bucket: string;
  /** Of all keys, without slashes at its ends; '': none. */
  readonly prefix: string;
  /** Of the service; null: that of AWS in the region. */
  readonly endpoint: string | null;
  /** Null: as the environment of AWS says, or us-east-1. */
  readonly region: string | null;
  /** The bucket is named in the path of URLs, not in the host. */
  readonly pathStyle: boolean;
  /** Clients may send parts to the bucket by themselves. */
  readonly direct: boolean;
}

type StorageUrl = { readonly kind: 'folder'; readonly folder: string } | S3Url;

export type StorageConfig =
  /** Of one server. */
  | { readonly kind: 'folder'; readonly folder: string }
  /** Of all servers on one PostgreSQL. */
  | { readonly kind: 'shared'; readonly folder: string }
  | (S3Url & {
      readonly region: string;
      /** Null: the chain of AWS (environment, files, instance metadata). */
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
    });

type PlacedUrl = Exclude<StorageConfig, { kind: 's3' }> | S3Url;

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PARAMETERS = ['endpoint', 'region', 'path_style', 'direct'];

/** @returns null for `file:`, which is the data folder. @throws Error that says what is wrong. */
export function parseStorageUrl(url: string): StorageUrl | null {
  if (url.startsWith('s3:')) return parseS3Url(url);
  if (!url.startsWith('file:')) return fail('is neither file:PATH nor s3://BUCKET/PREFIX');
  const folder = parseLocalUrl(url, 'file:');
  return folder === null ? null : { kind: 'folder', folder };
}

/** @param url null: it was not set. A folder that is named beside PostgreSQL is for all servers of the database. */
export function placeStorage(url: StorageUrl | null, database: DatabaseConfig, dataDir: string): PlacedUrl {
  if (url === null) return { kind: 'folder', folder: dataDir };
  return url.kind === 'folder' && database.kind === 'postgres' ? { kind: 'shared', folder: url.folder } : url;
}

/**
 * @param keys id and secret of a key of the bucket. @param env for the region.
 * @throws SettingError one line naming the setting.
 */
export function readStorage(
  url: PlacedUrl,
  [id, secret]: readonly (string | null)[],
  env: Readonly<Record<string, string | undefined>>,
): StorageConfig {
  if (url.kind !== 's3') {
    const name = id ? 'S3_ACCESS_KEY_ID' : 'S3_SECRET_ACCESS_KEY';
    if (id || secret) throw new SettingError(`CRYOLIFT_${name}: is for CRYOLIFT_STORAGE_URL=s3://…, which is not set`);
    return url;
  }
  if (id && !secret) {
    throw new SettingError('CRYOLIFT_S3_SECRET_ACCESS_KEY: is missing; CRYOLIFT_S3_ACCESS_KEY_ID needs it');
  }
  if (secret && !id) {
    throw new SettingError('CRYOLIFT_S3_ACCESS_KEY_ID: is missing; CRYOLIFT_S3_SECRET_ACCESS_KEY needs it');
  }
  const region = url.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
  return { ...url, region, credentials: id && secret ? { accessKeyId: id, secretAccessKey: secret } : null };
}

function parseS3Url(text: string): S3Url {
  if (!URL.canParse(text)) return fail('is not a URL like s3://BUCKET/PREFIX?endpoint=URL&region=NAME');
  const { hostname, port, pathname, searchParams, username, password, hash } = new URL(text);
  if (username !== '' || password !== '') {
    return fail('must not name a key; set CRYOLIFT_S3_ACCESS_KEY_ID and CRYOLIFT_S3_SECRET_ACCESS_KEY');
  }
  if (!BUCKET.test(hostname) || port !== '' || hash !== '') return fail(`"${hostname}" is not the name of a bucket`);
  for (const name of new Set(searchParams.keys())) {
    if (!PARAMETERS.includes(name)) return fail(`"${name}" is none of ${PARAMETERS.join(', ')}`);
    if (searchParams.getAll(name).length > 1) return fail(`${name} is there twice`);
  }
  const endpoint = searchParams.get('endpoint');
  const pathStyle = searchParams.get('path_style');
  const direct = searchParams.get('direct');
  return {
    kind: 's3',
    bucket: hostname,
    prefix: decodeURIComponent(pathname).replace(/^\/+|\/+$/g, ''),
    endpoint: endpoint === null ? null : parseWebUrl(endpoint),
    region: searchParams.get('region'),
    // Services at an endpoint of their own seldom have a name for each bucket.
    pathStyle: pathStyle === null ? endpoint !== null : parseBoolean(pathStyle),
    direct: direct === null || parseBoolean(direct),
  };
}

function fail(message: string): never {
  throw new Error(message);
}
