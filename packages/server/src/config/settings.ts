/** All settings: environment variable, flag of `serve` and parser. */
import type { Bounds } from '@cryolift/protocol/quantity';

export interface Setting {
  readonly env: string;
  /** Without the leading dashes. */
  readonly flag: string;
  readonly metavar: string;
  readonly help: string;
  /** Of sizes, durations and numbers. */
  readonly bounds?: Bounds;
}

function setting(name: string, metavar: string, help: string): Setting {
  return { env: `CRYOLIFT_${name}`, flag: name.toLowerCase().replaceAll('_', '-'), metavar, help };
}

/** Longer times fire at once in Node: 2^31 ms are not quite 25 days. */
const LONGEST_TIMER = '24d';

function bounded(name: string, bounds: Bounds, help: string): Setting {
  const metavar = { size: 'SIZE', duration: 'DURATION', number: 'N' }[bounds.kind];
  return { ...setting(name, metavar, `${help}; ${bounds.min} to ${bounds.max}`), bounds };
}

export const SETTINGS: readonly Setting[] = [
  setting('HOST', 'ADDRESS', 'address to listen on (127.0.0.1)'),
  bounded('PORT', { kind: 'number', min: '0', max: '65535' }, 'port to listen on; 0 picks one (8080)'),
  setting('SOCKET', 'PATH', 'unix socket to listen on instead, for a proxy on this machine'),
  setting('DATA_DIR', 'PATH', 'folder of the database and the files (./cryolift-data)'),
  setting(
    'DATABASE_URL',
    'URL',
    'sqlite: in the data folder, sqlite:PATH, or postgres://USER:PASSWORD@HOST/NAME (14 or newer)',
  ),
  setting('STORAGE_URL', 'URL', 'file: in the data folder, file:PATH, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME'),
  setting('S3_ACCESS_KEY_ID', 'TEXT', 'key of the bucket; without it, as the environment and files of AWS say'),
  setting('S3_SECRET_ACCESS_KEY', 'TEXT', 'its secret; better in the environment than as an argument'),
  setting(
    'JWT_SECRET',
    'TEXT',
    'shared secret of HS256 tokens, 32 bytes or more; better in the environment than as an argument',
  ),
  setting('JWT_PUBLIC_KEY', 'PEM|PATH', 'public key of RS256, ES256 or EdDSA tokens'),
  setting('JWKS_URL', 'URL', 'where the keys of RS256, ES256 or EdDSA tokens are published'),
  setting(
    'OIDC_ISSUER',
    'URL',
    'identity provider whose keys are found by OpenID discovery, and whose tokens are accepted',
  ),
  setting('OIDC_CLIENT_ID', 'TEXT', 'public client of the identity provider, with which people sign in'),
  setting(
    'OIDC_SCOPE',
    'LIST',
    'scopes they ask for, separated by spaces (openid offline_access uploads:write files:read files:delete files:locate)',
  ),
  setting('JWT_ISSUER', 'TEXT', 'the iss that tokens must have'),
  setting('JWT_AUDIENCE', 'TEXT', 'the aud that tokens must have'),
  setting('REVOKED_KEYS', 'LIST', 'ids (kid) or thumbprints of keys whose tokens are no longer accepted'),
  setting('SIGNING_SECRET', 'TEXT', 'signs URLs, 32 bytes or more; without it the server makes keys and rotates them'),
  setting('TLS_CERT', 'PATH', 'certificate chain, PEM'),
  setting('TLS_KEY', 'PATH', 'private key of the certificate, PEM'),
  setting('TRUST_PROXY', 'N|LIST', 'how many proxies in a row set X-Forwarded-*, or their addresses; true is 1 (none)'),
  setting(
    'SENDFILE',
    'HEADER',
    'a proxy on the same disk sends files: x-accel-redirect:/PREFIX/ (nginx) or x-sendfile (Apache, lighttpd)',
  ),
  setting('DIST_DIR', 'PATH', 'folder of the one-file programs, from `npm run dist`, that GET /install offers'),
  setting('PUBLIC_URL', 'URL', 'URL under which clients reach this server, if it differs from host and port'),
  bounded('MAX_FILE_SIZE', { kind: 'size', min: '1b', max: '50000GiB' }, 'maximum size of a file (16TiB)'),
  bounded(
    'PART_SIZE',
    { kind: 'size', min: '64KiB', max: '5GiB' },
    'part size; grows so that no file has over 10,000 parts (8MiB)',
  ),
  bounded(
    'SESSION_TTL',
    { kind: 'duration', min: '1s', max: '3650d' },
    'an upload expires this long after its last part (7d)',
  ),
  bounded(
    'COMPRESS_AFTER',
    { kind: 'duration', min: '1s', max: '36500d' },
    'integer movies are stored as .mrc.zst so long after they were published (never)',
  ),
  setting('ACCEPT', 'LIST', 'accepted file types beside MRC (.mdoc,.eer,.tif,.tiff,.gain,.dm4,.xml); * for any'),
  bounded('QUOTA_BYTES', { kind: 'size', min: '0b', max: '8191TiB' }, 'bytes that one owner may store (no limit)'),
  bounded(
    'MAX_OPEN_UPLOADS',
    { kind: 'number', min: '1', max: '10000000' },
    'maximum of open uploads of one owner (10000)',
  ),
  bounded(
    'QUOTA_FILES',
    { kind: 'number', min: '1', max: '1000000000' },
    'maximum of files and uploads of one owner (1000000)',
  ),
  bounded('MAX_LINK_TTL', { kind: 'duration', min: '1s', max: '30d' }, 'maximum lifetime of an upload link (30d)'),
  bounded('RATE_LIMIT', { kind: 'number', min: '1', max: '1000000' }, 'requests per second and caller (1000)'),
  bounded(
    'BODY_IDLE_TIMEOUT',
    { kind: 'duration', min: '100ms', max: LONGEST_TIMER },
    'a part whose body stalls for this long is refused (30s)',
  ),
  bounded(
    'CONNECTIONS_PER_ADDRESS',
    { kind: 'number', min: '1', max: '1000000' },
    'connections that one address may hold open (1024); no limit behind a proxy',
  ),
  setting('CORS_ORIGINS', 'LIST', 'origins of other web pages that may call this server'),
  setting('PART_ORIGINS', 'LIST', 'further origins of this server, to which its page sends parts: https://a2.example'),
  setting('WEBHOOK_URL', 'URL', 'where events are posted (Standard Webhooks)'),
  setting(
    'WEBHOOK_SECRET',
    'TEXT',
    'key of their signatures, better in the environment: whsec_ and base64; default: generated in the data folder',
  ),
  setting('ON_COMPLETE', 'COMMAND', 'run for every published file: its record on stdin, its path as the last argument'),
  setting(
    'ON_DATASET_COMPLETE',
    'COMMAND',
    'run for every completed dataset: its record on stdin, its id as the last argument',
  ),
  bounded(
    'ON_COMPLETE_TIMEOUT',
    { kind: 'duration', min: '100ms', max: LONGEST_TIMER },
    'maximum duration of these commands (1h)',
  ),
  setting('DESTINATIONS', 'PATH', 'JSON file of the places that datasets may be pushed to, with their credentials'),
  bounded(
    'AUDIT_MAX_SIZE',
    { kind: 'size', min: '128MiB', max: '8191TiB' },
    'maximum size of the audit; then the oldest files are removed (10GiB)',
  ),
  bounded(
    'AUDIT_MAX_AGE',
    { kind: 'duration', min: '1d', max: '36500d' },
    'maximum age of the audit; older files are removed (never)',
  ),
  setting('OTLP_URL', 'URL', 'OpenTelemetry collector for traces, http://host:4318/v1/traces'),
  setting('FAST_LANE', 'true|false', 'read the bodies of parts without the HTTP parser; not with TLS (true)'),
  setting('INTERIM_ANSWERS', 'true|false', 'send 104 answers of resumable uploads; false behind nginx (true)'),
  setting(
    'PARALLEL_APPENDS',
    'true|false',
    'take appends of IETF resumable uploads in parallel, which is a draft (false)',
  ),
  setting('METRICS', 'true|false', 'serve GET /metrics (true)'),
  setting('LOG_LEVEL', 'LEVEL', 'trace, debug, info, warn, error or silent (info; warn on a terminal)'),
];

/** Variables of the same family that the command line reads; the server ignores them. */
export const CLIENT_VARIABLES: readonly string[] = [
  'CRYOLIFT_SERVER',
  'CRYOLIFT_TOKEN',
  'CRYOLIFT_LINK',
  'CRYOLIFT_TO_S3_ACCESS_KEY_ID',
  'CRYOLIFT_TO_S3_SECRET_ACCESS_KEY',
];
