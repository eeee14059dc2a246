/** Reads the settings into one frozen value. Only this file reads environment variables. */
import { resolve } from 'node:path';
import { MAX_LINK_SECONDS } from '@cryolift/protocol/messages';
import { MIB, TIB } from '@cryolift/protocol/plan';
import { type Bounds, parseBounded } from '@cryolift/protocol/quantity';
import { type DatabaseConfig, parseDatabaseUrl } from './database-url.ts';
import { type DestinationConfig, readDestinations } from './destinations.ts';
import { assertSafe } from './exposure.ts';
import { type JwtConfig, parsePublicKey } from './jwt.ts';
import { SettingError } from './setting-error.ts';
import { CLIENT_VARIABLES, SETTINGS } from './settings.ts';
import { parseClientId, parseScope, readSignIn, type SignInConfig } from './sign-in.ts';
import { parseStorageUrl, placeStorage, readStorage, type StorageConfig } from './storage-url.ts';
import { findTls, type TlsConfig } from './tls.ts';
import {
  parseBoolean,
  parseCommand,
  parseLevel,
  parseList,
  parseOrigin,
  parsePartOrigins,
  parseProxies,
  parseSecret,
  parseSendfile,
  parseTypes,
  parseWebUrl,
  type Sendfile,
} from './values.ts';

/** Files that microscopes and detectors write beside MRC files. */
const DEFAULT_TYPES: readonly string[] = ['mdoc', 'eer', 'tif', 'tiff', 'gain', 'dm4', 'xml'];

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Listened on instead of host and port; null: none. */
  readonly socketPath: string | null;
  readonly dataDir: string;
  readonly database: DatabaseConfig;
  readonly storage: StorageConfig;
  readonly jwt: JwtConfig;
  /** How people sign in at the identity provider; null: with tokens that they have. */
  readonly signIn: SignInConfig | null;
  /** What signs URLs on several servers alike; null: keys are made, rotated and kept by the servers. */
  readonly signingSecret: string | null;
  readonly tls: TlsConfig | null;
  /** Number of trusted proxies in a row, or their addresses and CIDR blocks. */
  readonly trustProxy: number | readonly string[];
  readonly publicUrl: string | null;
  readonly maxFileSizeBytes: number;
  readonly partSizeBytes: number;
  readonly uploadTtlMs: number;
  /** Integer movies are compressed so long after they were published; null: never. */
  readonly compressAfterMs: number | null;
  readonly acceptedTypes: readonly string[];
  readonly quotaBytes: number | null;
  readonly maxOpenUploads: number;
  /** Maximum of files, and uploads that are not published, of one owner. */
  readonly maxFiles: number;
  /** Maximum lifetime of an upload link. */
  readonly maxLinkMs: number;
  /** Requests per second and caller. */
  readonly rateLimit: number;
  readonly bodyIdleTimeoutMs: number;
  readonly connectionsPerAddress: number;
  readonly corsOrigins: readonly string[];
  /** Further origins of this server, to which pages send parts. */
  readonly partOrigins: readonly string[];
  /** Without a secret the server makes one in its data folder. */
  readonly webhook: { readonly url: string; readonly secret: string | null } | null;
  readonly onComplete: CommandConfig | null;
  readonly onDatasetComplete: CommandConfig | null;
  /** Where datasets may be pushed to. */
  readonly destinations: readonly DestinationConfig[];
  /** Limits of the audit: total bytes, and age; null: no limit of age. */
  readonly audit: { readonly maxTotalBytes: number; readonly maxAgeMs: number | null };
  readonly otlpUrl: string | null;
  readonly fastPath: boolean;
  /** How the server asks a proxy on the same disk to send files; null: the server sends them. */
  readonly sendfile: Sendfile | null;
  /** Absolute; null: no programs are offered. */
  readonly distDir: string | null;
  /** Answers of status 104 are sent. */
  readonly interimAnswers: boolean;
  /** IETF resumable uploads take appends in parallel. */
  readonly parallelAppends: boolean;
  readonly metrics: boolean;
  /** Null: not given. */
  readonly logLevel: string | null;
}

/** Variables that commands need. */
const COMMAND_ENVIRONMENT = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot'];

interface CommandConfig {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** Maximum duration. */
  readonly timeoutMs: number;
  /** Its whole environment, without the settings of the server and their secrets. */
  readonly env: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings.
 *
 * @param flags by name without dashes; they win over the environment. An empty value counts as not given.
 * @throws SettingError one line naming the setting.
 */
export function readConfig(env: Environment, flags: Environment = {}): Config {
  const values = collect(env, flags);
  const read = <T>(name: string, parse: (text: string) => T, fallback: T): T => {
    const text = values.get(name);
    if (text === undefined) return fallback;
    try {
      return parse(text);
    } catch (error) {
      throw new SettingError(`CRYOLIFT_${name}: ${(error as Error).message}`);
    }
  };
  const text = (name: string) => read<string | null>(name, String, null);
  const bounded = <T extends number | null>(name: string, fallback: T): number | T =>
    read<number | T>(name, (value) => parseBounded(value, boundsOf(name)), fallback);

  const dataDir = resolve(text('DATA_DIR') ?? 'cryolift-data');
  const inFolder = parseDatabaseUrl('sqlite:', dataDir);
  const database = read('DATABASE_URL', (url) => parseDatabaseUrl(url, dataDir), inFolder);
  const jwt: JwtConfig = {
    secret: text('JWT_SECRET'),
    publicKey: read<string | null>('JWT_PUBLIC_KEY', parsePublicKey, null),
    jwksUrl: read<string | null>('JWKS_URL', parseWebUrl, null),
    oidcIssuer: read<string | null>('OIDC_ISSUER', parseWebUrl, null),
    issuer: text('JWT_ISSUER'),
    audience: text('JWT_AUDIENCE'),
    revokedKeys: read('REVOKED_KEYS', parseList, []),
  };
  const config: Config = {
    host: text('HOST') ?? '127.0.0.1',
    port: bounded('PORT', 8080),
    socketPath: read<string | null>('SOCKET', (path) => resolve(path), null),
    dataDir,
    database,
    storage: readStorage(
      placeStorage(read('STORAGE_URL', parseStorageUrl, null), database, dataDir),
      [text('S3_ACCESS_KEY_ID'), text('S3_SECRET_ACCESS_KEY')],
      env,
    ),
    jwt,
    signIn: readSignIn(
      jwt,
      read<string | null>('OIDC_CLIENT_ID', parseClientId, null),
      read<string | null>('OIDC_SCOPE', parseScope, null),
    ),
    signingSecret: read('SIGNING_SECRET', parseSecret, null),
    tls: findTls(text('TLS_CERT'), text('TLS_KEY')),
    trustProxy: read<number | string[]>('TRUST_PROXY', parseProxies, 0),
    publicUrl: read<string | null>('PUBLIC_URL', parseWebUrl, null),
    maxFileSizeBytes: bounded('MAX_FILE_SIZE', 16 * TIB),
    partSizeBytes: bounded('PART_SIZE', 8 * MIB),
    uploadTtlMs: bounded('SESSION_TTL', 7 * 86_400_000),
    compressAfterMs: bounded('COMPRESS_AFTER', null),
    acceptedTypes: read('ACCEPT', parseTypes, [...DEFAULT_TYPES]),
    quotaBytes: bounded('QUOTA_BYTES', null),
    maxOpenUploads: bounded('MAX_OPEN_UPLOADS', 10_000),
    maxFiles: bounded('QUOTA_FILES', 1_000_000),
    maxLinkMs: bounded('MAX_LINK_TTL', MAX_LINK_SECONDS * 1000),
    rateLimit: bounded('RATE_LIMIT', 1_000),
    bodyIdleTimeoutMs: bounded('BODY_IDLE_TIMEOUT', 30_000),
    connectionsPerAddress: bounded('CONNECTIONS_PER_ADDRESS', 1024),
    corsOrigins: read('CORS_ORIGINS', (value) => parseList(value).map(parseOrigin), []),
    partOrigins: read('PART_ORIGINS', parsePartOrigins, []),
    webhook: readWebhook(read<string | null>('WEBHOOK_URL', parseWebUrl, null), text('WEBHOOK_SECRET')),
    onComplete: readCommand(
      read<string[] | null>('ON_COMPLETE', parseCommand, null),
      bounded('ON_COMPLETE_TIMEOUT', 3_600_000),
      env,
    ),
    onDatasetComplete: readCommand(
      read<string[] | null>('ON_DATASET_COMPLETE', parseCommand, null),
      bounded('ON_COMPLETE_TIMEOUT', 3_600_000),
      env,
    ),
    destinations: read('DESTINATIONS', readDestinations, []),
    audit: {
      maxTotalBytes: bounded('AUDIT_MAX_SIZE', 10 * 1024 * MIB),
      maxAgeMs: bounded('AUDIT_MAX_AGE', null),
    },
    otlpUrl: read<string | null>('OTLP_URL', parseWebUrl, null),
    fastPath: read('FAST_LANE', parseBoolean, true),
    sendfile: read<Sendfile | null>('SENDFILE', parseSendfile, null),
    distDir: read<string | null>('DIST_DIR', (text) => resolve(text), null),
    interimAnswers: read('INTERIM_ANSWERS', parseBoolean, true),
    parallelAppends: read('PARALLEL_APPENDS', parseBoolean, false),
    metrics: read('METRICS', parseBoolean, true),
    logLevel: read<string | null>('LOG_LEVEL', parseLevel, null),
  };
  assertSafe(config);
  assertSendfile(config);
  assertPartOrigins(config);
  return Object.freeze(config);
}

/** @throws SettingError where no proxy can read the files. */
function assertSendfile({ sendfile, trustProxy, storage }: Config): void {
  if (sendfile === null) return;
  if (trustProxy === 0) throw new SettingError('CRYOLIFT_SENDFILE: a proxy sends the files; set CRYOLIFT_TRUST_PROXY');
  if (storage.kind === 's3') throw new SettingError('CRYOLIFT_SENDFILE: the files are in a bucket, and not on a disk');
}

/** @throws SettingError where a page could not use them. */
function assertPartOrigins({ partOrigins, publicUrl }: Config): void {
  if (partOrigins.length === 0) return;
  if (publicUrl === null) throw new SettingError('CRYOLIFT_PART_ORIGINS: set CRYOLIFT_PUBLIC_URL, the URL of the page');
  const { origin, protocol } = new URL(publicUrl);
  for (const each of partOrigins) {
    if (each === origin) throw new SettingError(`CRYOLIFT_PART_ORIGINS: ${each} is the origin of CRYOLIFT_PUBLIC_URL`);
    // A browser refuses it, and the token would travel without TLS.
    if (protocol === 'https:' && !each.startsWith('https:'))
      throw new SettingError(`CRYOLIFT_PART_ORIGINS: ${each} must begin with https:, as CRYOLIFT_PUBLIC_URL does`);
  }
}

function boundsOf(name: string): Bounds {
  const bounds = SETTINGS.find(({ env }) => env === `CRYOLIFT_${name}`)?.bounds;
  if (!bounds) throw new Error(`CRYOLIFT_${name} has no bounds`);
  return bounds;
}

function collect(env: Environment, flags: Environment): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('CRYOLIFT_') || CLIENT_VARIABLES.includes(name)) continue;
    if (!SETTINGS.some((setting) => setting.env === name)) throw new SettingError(`${name}: unknown setting`);
    if (value) values.set(name.slice('CRYOLIFT_'.length), value);
  }
  for (const [flag, value] of Object.entries(flags)) {
    const setting = SETTINGS.find((known) => known.flag === flag);
    if (!setting) throw new SettingError(`--${flag}: unknown setting`);
    if (value) values.set(setting.env.slice('CRYOLIFT_'.length), value);
  }
  return values;
}

function readWebhook(url: string | null, secret: string | null): Config['webhook'] {
  if (url !== null) {
    const { username, password } = new URL(url);
    // `fetch` refuses such a URL, and prints it with the password in its error.
    if (username !== '' || password !== '') {
      throw new SettingError('CRYOLIFT_WEBHOOK_URL: must not contain a user; events are signed instead');
    }
    // `whsec_$(openssl …)` without openssl gives an empty key, which anyone can use.
    if (secret !== null && /^whsec_=*$/.test(secret)) {
      throw new SettingError('CRYOLIFT_WEBHOOK_SECRET: has no value after whsec_');
    }
    return { url, secret };
  }
  if (secret !== null) throw new SettingError('CRYOLIFT_WEBHOOK_URL: is missing; CRYOLIFT_WEBHOOK_SECRET needs it');
  return null;
}

function readCommand(command: string[] | null, timeoutMs: number, env: Environment): CommandConfig | null {
  return command && { command, timeoutMs, env: keepEntries(env, COMMAND_ENVIRONMENT) };
}

function keepEntries(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
