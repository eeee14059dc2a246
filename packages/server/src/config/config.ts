/** Settings into one frozen value. The only place that knows the environment's form. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { MAX_LINK_SECONDS } from '@cryolift/protocol/messages';
import { MIB, TIB } from '@cryolift/protocol/plan';
import { type Bounds, parseBounded } from '@cryolift/protocol/quantity';
import { parseBoolean, parseCommand, parseList, parseProxies, parseWebUrl } from './quantity.ts';
import { CLIENT_VARIABLES, SETTINGS } from './settings.ts';
import { algorithmOf, readPublicKey } from './token-key.ts';

export { SETTINGS } from './settings.ts';

/** A bad setting: one line that names it. */
export class SettingError extends Error {}

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly databasePath: string;
  readonly storageDir: string;
  readonly jwt: JwtConfig;
  readonly tls: TlsConfig | null;
  /** How many proxies in a row are to be believed, or the addresses and CIDR blocks of those that are. */
  readonly trustProxy: number | readonly string[];
  readonly publicUrl: string | null;
  readonly maxFileSizeBytes: number;
  readonly partSizeBytes: number;
  readonly uploadTtlMs: number;
  readonly acceptedTypes: readonly string[];
  readonly quotaBytes: number | null;
  readonly maxOpenUploads: number;
  /** Files, and uploads that have not become files, that one owner may have. */
  readonly maxFiles: number;
  /** An upload link is good for no longer than this. */
  readonly maxLinkMs: number;
  /** Requests per second and caller. */
  readonly rateLimit: number;
  readonly bodyIdleTimeoutMs: number;
  readonly connectionsPerAddress: number;
  readonly corsOrigins: readonly string[];
  /** Without a secret the server makes one in its data folder. */
  readonly webhook: { readonly url: string; readonly secret: string | null } | null;
  readonly onComplete: CommandConfig | null;
  /** What is kept of the audit: bytes in all, and for how long; null: however old it is. */
  readonly audit: { readonly maxTotalBytes: number; readonly maxAgeMs: number | null };
  readonly otlpUrl: string | null;
  readonly fastPath: boolean;
  readonly metrics: boolean;
  readonly logLevel: string;
}

/** What a command needs to find its way. */
const COMMAND_ENVIRONMENT = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot'];

interface CommandConfig {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** It is ended after this long. */
  readonly timeoutMs: number;
  /** All of its environment: no settings of ours, and so no secrets, are in it. */
  readonly env: Readonly<Record<string, string>>;
}

interface TlsConfig {
  readonly certPath: string;
  readonly keyPath: string;
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface JwtConfig {
  /** Null with no public key either: the server makes a secret in its data folder. */
  readonly secret: string | null;
  /** PEM of an RSA, EC P-256 or Ed25519 key. */
  readonly publicKey: string | null;
  readonly jwksUrl: string | null;
  /** The issuer whose keys are found by OpenID discovery. Only its tokens are accepted. */
  readonly oidcIssuer: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
  /** Ids (`kid`) or thumbprints (RFC 7638) of keys whose tokens are no longer accepted. */
  readonly revokedKeys: readonly string[];
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
/** Part sizes that the store can hold; S3's greatest part is 5 GiB. */
export const MIN_PART_SIZE_BYTES = 64 * 1024;
export const MAX_PART_SIZE_BYTES = 5 * 1024 * MIB;

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
  const config: Config = {
    host: text('HOST') ?? '127.0.0.1',
    port: bounded('PORT', 8080),
    dataDir,
    databasePath:
      read('DATABASE_URL', (url) => parseLocalUrl(url, 'sqlite:'), null) ?? resolve(dataDir, 'cryolift.sqlite'),
    storageDir: read('STORAGE_URL', (url) => parseLocalUrl(url, 'file:'), null) ?? dataDir,
    jwt: {
      secret: text('JWT_SECRET'),
      publicKey: read<string | null>('JWT_PUBLIC_KEY', parsePublicKey, null),
      jwksUrl: read<string | null>('JWKS_URL', parseWebUrl, null),
      oidcIssuer: read<string | null>('OIDC_ISSUER', parseWebUrl, null),
      issuer: text('JWT_ISSUER'),
      audience: text('JWT_AUDIENCE'),
      revokedKeys: read('REVOKED_KEYS', parseList, []),
    },
    tls: findTls(text('TLS_CERT'), text('TLS_KEY')),
    trustProxy: read<number | string[]>('TRUST_PROXY', parseProxies, 0),
    publicUrl: read<string | null>('PUBLIC_URL', parseWebUrl, null),
    maxFileSizeBytes: bounded('MAX_FILE_SIZE', 16 * TIB),
    partSizeBytes: bounded('PART_SIZE', 8 * MIB),
    uploadTtlMs: bounded('SESSION_TTL', 7 * 86_400_000),
    acceptedTypes: read('ACCEPT', parseTypes, []),
    quotaBytes: bounded('QUOTA_BYTES', null),
    maxOpenUploads: bounded('MAX_OPEN_UPLOADS', 10_000),
    maxFiles: bounded('QUOTA_FILES', 1_000_000),
    maxLinkMs: bounded('MAX_LINK_TTL', MAX_LINK_SECONDS * 1000),
    rateLimit: bounded('RATE_LIMIT', 1_000),
    bodyIdleTimeoutMs: bounded('BODY_IDLE_TIMEOUT', 30_000),
    connectionsPerAddress: bounded('CONNECTIONS_PER_ADDRESS', 1024),
    corsOrigins: read('CORS_ORIGINS', (value) => parseList(value).map(parseOrigin), []),
    webhook: readWebhook(read<string | null>('WEBHOOK_URL', parseWebUrl, null), text('WEBHOOK_SECRET')),
    onComplete: readCommand(
      read<string[] | null>('ON_COMPLETE', parseCommand, null),
      bounded('ON_COMPLETE_TIMEOUT', 3_600_000),
      env,
    ),
    audit: {
      maxTotalBytes: bounded('AUDIT_MAX_SIZE', 10 * 1024 * MIB),
      maxAgeMs: bounded('AUDIT_MAX_AGE', null),
    },
    otlpUrl: read<string | null>('OTLP_URL', parseWebUrl, null),
    fastPath: read('FAST_LANE', parseBoolean, true),
    metrics: read('METRICS', parseBoolean, true),
    logLevel: read('LOG_LEVEL', parseLevel, 'info'),
  };
  assertSafe(config);
  return Object.freeze(config);
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
    if (!SETTINGS.some((setting) => setting.env === name)) throw new SettingError(`${name}: there is no such setting`);
    if (value) values.set(name.slice('CRYOLIFT_'.length), value);
  }
  for (const [flag, value] of Object.entries(flags)) {
    const setting = SETTINGS.find((known) => known.flag === flag);
    if (!setting) throw new SettingError(`--${flag}: there is no such setting`);
    if (value) values.set(setting.env.slice('CRYOLIFT_'.length), value);
  }
  return values;
}

/** What must not be run by mistake: a server that others reach without a key, or without TLS. */
function assertSafe({ host, jwt, tls, trustProxy }: Config): void {
  const loopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  const { oidcIssuer, jwksUrl, issuer } = jwt;
  if (oidcIssuer !== null && (jwksUrl !== null || issuer !== null)) {
    const other = jwksUrl === null ? 'CRYOLIFT_JWT_ISSUER' : 'CRYOLIFT_JWKS_URL';
    throw new SettingError(`CRYOLIFT_OIDC_ISSUER: says that already; take ${other} away`);
  }
  if (!loopback && !hasKey(jwt)) {
    throw new SettingError(
      `CRYOLIFT_HOST: ${host} is reachable from elsewhere; set CRYOLIFT_JWT_SECRET, CRYOLIFT_JWT_PUBLIC_KEY, CRYOLIFT_JWKS_URL or CRYOLIFT_OIDC_ISSUER`,
    );
  }
  if (!loopback && !tls && trustProxy === 0) {
    throw new SettingError(
      `CRYOLIFT_HOST: ${host} is reachable from elsewhere; set CRYOLIFT_TLS_CERT and CRYOLIFT_TLS_KEY, or CRYOLIFT_TRUST_PROXY=true when a proxy ends TLS`,
    );
  }
}

/** False: the server makes its own secret. */
export function hasKey(jwt: JwtConfig): boolean {
  return jwt.secret !== null || jwt.publicKey !== null || jwt.jwksUrl !== null || jwt.oidcIssuer !== null;
}

function findTls(certPath: string | null, keyPath: string | null): TlsConfig | null {
  if (certPath !== null && keyPath !== null) return readTls({ certPath, keyPath });
  if (certPath !== null) throw new SettingError('CRYOLIFT_TLS_KEY: is missing; CRYOLIFT_TLS_CERT needs it');
  if (keyPath !== null) throw new SettingError('CRYOLIFT_TLS_CERT: is missing; CRYOLIFT_TLS_KEY needs it');
  return null;
}

/** The certificate and its key as they lie in their files now. @throws SettingError one line naming the setting. */
export function readTls({ certPath, keyPath }: Pick<TlsConfig, 'certPath' | 'keyPath'>): TlsConfig {
  const cert = readPem('CRYOLIFT_TLS_CERT', certPath);
  const key = readPem('CRYOLIFT_TLS_KEY', keyPath);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new SettingError(`CRYOLIFT_TLS_CERT: does not work with CRYOLIFT_TLS_KEY (${(error as Error).message})`);
  }
  return { certPath, keyPath, cert, key };
}

function readPem(setting: string, path: string): string {
  try {
    return readText(path);
  } catch (error) {
    throw new SettingError(`${setting}: ${(error as Error).message}`);
  }
}

function readWebhook(url: string | null, secret: string | null): Config['webhook'] {
  if (url !== null) {
    const { username, password } = new URL(url);
    // `fetch` refuses such a URL, and says it, password and all, in its error.
    if (username !== '' || password !== '') {
      throw new SettingError('CRYOLIFT_WEBHOOK_URL: must not name a user; what is posted is signed');
    }
    // As `whsec_$(openssl …)` is without openssl: a key of no bytes, which everybody has.
    if (secret !== null && /^whsec_=*$/.test(secret)) {
      throw new SettingError('CRYOLIFT_WEBHOOK_SECRET: has nothing behind whsec_');
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

function parseLocalUrl(url: string, scheme: 'sqlite:' | 'file:'): string | null {
  if (!url.startsWith(scheme)) return fail(`this version knows ${scheme}PATH only`);
  if (url === scheme) return null;
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice(scheme.length).replace(/^\/\//, ''));
}

/** The key itself, with real or written-out line ends, or a file that has it. */
function parsePublicKey(value: string): string {
  const pem = value.includes('-----BEGIN') ? value.replaceAll('\\n', '\n') : readText(value);
  if (!/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) return fail('is not a public key in PEM form');
  algorithmOf(readPublicKey(pem));
  return pem;
}

function parseTypes(value: string): string[] {
  return parseList(value).map((type) => {
    const extension = type.replace(/^\*?\./, '').toLowerCase();
    return /^[a-z0-9_-]+$/.test(extension) ? extension : fail(`"${type}" is not a file extension`);
  });
}

function parseOrigin(value: string): string {
  return new URL(parseWebUrl(value)).origin === value
    ? value
    : fail(`"${value}" is not an origin like https://example.org`);
}

function parseLevel(value: string): string {
  return LOG_LEVELS.includes(value) ? value : fail(`is one of ${LOG_LEVELS.join(', ')}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fail(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function fail(message: string): never {
  throw new Error(message);
}
