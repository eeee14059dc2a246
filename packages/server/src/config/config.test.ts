import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { type Config, readConfig } from './config.ts';
import { ED_PEM, names, read, SECRET } from './test-settings.ts';

test('config: without settings, a server for this machine alone', () => {
  const config = readConfig({ PATH: '/bin', HOME: '/root' });
  assert.deepEqual(config, {
    host: '127.0.0.1',
    socketPath: null,
    port: 8080,
    dataDir: resolve('cryolift-data'),
    database: { kind: 'sqlite', path: resolve('cryolift-data/cryolift.sqlite') },
    storage: { kind: 'folder', folder: resolve('cryolift-data') },
    jwt: {
      secret: null,
      publicKey: null,
      jwksUrl: null,
      oidcIssuer: null,
      issuer: null,
      audience: null,
      revokedKeys: [],
    },
    signIn: null,
    signingSecret: null,
    tls: null,
    trustProxy: 0,
    publicUrl: null,
    maxFileSizeBytes: 16 * 1024 ** 4,
    partSizeBytes: 8 * 1024 ** 2,
    uploadTtlMs: 7 * 24 * 3_600_000,
    compressAfterMs: null,
    acceptedTypes: ['mdoc', 'eer', 'tif', 'tiff', 'gain', 'dm4', 'xml'],
    quotaBytes: null,
    maxOpenUploads: 10_000,
    maxFiles: 1_000_000,
    maxLinkMs: 30 * 86_400_000,
    rateLimit: 1_000,
    bodyIdleTimeoutMs: 30_000,
    connectionsPerAddress: 1024,
    corsOrigins: [],
    partOrigins: [],
    webhook: null,
    onComplete: null,
    onDatasetComplete: null,
    destinations: [],
    audit: { maxTotalBytes: 10 * 1024 ** 3, maxAgeMs: null },
    otlpUrl: null,
    fastPath: true,
    sendfile: null,
    distDir: null,
    interimAnswers: true,
    parallelAppends: false,
    metrics: true,
    logLevel: null,
  });
  assert.ok(Object.isFrozen(config));
});

function folderOf({ storage }: Config): string | null {
  return storage.kind === 'folder' ? storage.folder : null;
}

/** What is no URL of a bucket. */
const BAD_BUCKETS = [
  ...['S3://', 's3:bucket', 's3://B_x', 's3://bucket:80/', 's3://key:secret@bucket', 's3://bucket?bucket=x'],
  ...['s3://bucket?region=a&region=b', 's3://bucket?endpoint=ftp://x', 's3://bucket?path_style=x'],
];

test('config: a bucket, with and without keys', () => {
  const AWS = 's3://cryo-data/instruments/krios/';
  assert.deepEqual(readConfig({ CRYOLIFT_STORAGE_URL: AWS, AWS_REGION: 'eu-central-1' }).storage, {
    kind: 's3',
    bucket: 'cryo-data',
    prefix: 'instruments/krios',
    endpoint: null,
    region: 'eu-central-1',
    pathStyle: false,
    direct: true,
    credentials: null,
  });
  const env = {
    CRYOLIFT_STORAGE_URL: 's3://data?endpoint=http://10.0.0.1:8333&region=here&path_style=false',
    CRYOLIFT_S3_ACCESS_KEY_ID: 'id',
    CRYOLIFT_S3_SECRET_ACCESS_KEY: 'secret',
  };
  assert.deepEqual(readConfig(env).storage, {
    kind: 's3',
    bucket: 'data',
    prefix: '',
    endpoint: 'http://10.0.0.1:8333',
    region: 'here',
    pathStyle: false,
    direct: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  });
  const withoutId = { ...env, CRYOLIFT_S3_ACCESS_KEY_ID: '' };
  assert.throws(() => readConfig(withoutId), names('CRYOLIFT_S3_ACCESS_KEY_ID'));
  const withoutSecret = { ...env, CRYOLIFT_S3_SECRET_ACCESS_KEY: '' };
  assert.throws(() => readConfig(withoutSecret), names('CRYOLIFT_S3_SECRET_ACCESS_KEY'));
});

test('config: a folder that is named beside PostgreSQL is for several servers, the data folder is not', () => {
  const env = { CRYOLIFT_DATABASE_URL: 'postgres://db.example/cryolift', CRYOLIFT_DATA_DIR: '/srv/cryo' };
  const storageOf = (url: string) => readConfig({ ...env, CRYOLIFT_STORAGE_URL: url }).storage;
  assert.deepEqual(storageOf('file:///mnt/shared/cryo'), { kind: 'shared', folder: '/mnt/shared/cryo' });
  for (const url of ['', 'file:']) assert.deepEqual(storageOf(url), { kind: 'folder', folder: '/srv/cryo' });
  const withKey = { ...env, CRYOLIFT_STORAGE_URL: 'file:/mnt/shared', CRYOLIFT_S3_ACCESS_KEY_ID: 'id' };
  assert.throws(() => readConfig(withKey), names('CRYOLIFT_S3_ACCESS_KEY_ID'));
});

test('config: good values are read', () => {
  assert.equal(read('HOST', '::1').host, '::1');
  assert.equal(read('HOST', '127.9.9.9').host, '127.9.9.9');
  assert.equal(read('PORT', '0').port, 0);
  const inFolder = { kind: 'sqlite', path: '/srv/cryo/cryolift.sqlite' };
  assert.deepEqual(read('DATA_DIR', '/srv/cryo').database, inFolder);
  assert.equal(folderOf(read('DATA_DIR', '/srv/cryo')), '/srv/cryo');
  const urls: [string, string][] = [
    ['/a b', '/a b'],
    ['///a', '/a'],
    ['a', resolve('a')],
    ['', resolve('cryolift-data')],
  ];
  for (const [url, path] of urls) assert.equal(folderOf(read('STORAGE_URL', `file:${url}`)), path, url);
  assert.deepEqual(read('DATABASE_URL', 'sqlite:///srv/db').database, { kind: 'sqlite', path: '/srv/db' });
  const inDefault = { kind: 'sqlite', path: resolve('cryolift-data/cryolift.sqlite') };
  assert.deepEqual(read('DATABASE_URL', 'sqlite:').database, inDefault);
  const url = 'postgres://ada:secret@db.example/cryolift';
  assert.deepEqual(read('DATABASE_URL', url).database, { kind: 'postgres', url });
  assert.throws(
    () => read('DATABASE_URL', 'postgres://ada:secret@db:x'),
    ({ message }: Error) => /CRYOLIFT_DATABASE_URL/.test(message) && !/secret/.test(message),
  );
  assert.equal(read('JWT_SECRET', SECRET).jwt.secret, SECRET);
  assert.equal(read('JWT_PUBLIC_KEY', ED_PEM).jwt.publicKey, ED_PEM);
  assert.equal(read('JWT_PUBLIC_KEY', ED_PEM.replaceAll('\n', '\\n')).jwt.publicKey, ED_PEM);
  assert.equal(read('JWKS_URL', 'https://id.example.org/keys').jwt.jwksUrl, 'https://id.example.org/keys');
  assert.equal(read('OIDC_ISSUER', 'https://id.example.org/lab').jwt.oidcIssuer, 'https://id.example.org/lab');
  assert.deepEqual(read('REVOKED_KEYS', 'k1, k2').jwt.revokedKeys, ['k1', 'k2']);
  assert.equal(read('JWT_ISSUER', 'lab').jwt.issuer, 'lab');
  assert.equal(read('JWT_AUDIENCE', 'cryolift').jwt.audience, 'cryolift');
  const trusted: [string, number | string[]][] = [
    ['true', 1],
    ['off', 0],
    ['0', 0],
    ['2', 2],
    ['10.0.0.7', ['10.0.0.7']],
    ['10.0.0.0/8, ::1 fd00::/8', ['10.0.0.0/8', '::1', 'fd00::/8']],
  ];
  for (const [text, proxies] of trusted) assert.deepEqual(read('TRUST_PROXY', text).trustProxy, proxies, text);
  assert.equal(read('PUBLIC_URL', 'https://up.example.org').publicUrl, 'https://up.example.org');
  assert.equal(read('MAX_FILE_SIZE', '1').maxFileSizeBytes, 1);
  assert.equal(read('PART_SIZE', '64KiB').partSizeBytes, 65_536);
  assert.equal(read('SESSION_TTL', '1s').uploadTtlMs, 1000);
  assert.equal(read('COMPRESS_AFTER', '90d').compressAfterMs, 90 * 86_400_000);
  assert.deepEqual(read('ACCEPT', '.TIF, eer *.mdoc').acceptedTypes, ['tif', 'eer', 'mdoc']);
  assert.deepEqual(read('ACCEPT', 'tif *').acceptedTypes, ['*']);
  assert.equal(read('QUOTA_BYTES', '0').quotaBytes, 0);
  assert.equal(read('RATE_LIMIT', '5').rateLimit, 5);
  assert.equal(read('QUOTA_FILES', '1').maxFiles, 1);
  assert.equal(read('QUOTA_FILES', '1000000000').maxFiles, 1_000_000_000);
  assert.equal(read('AUDIT_MAX_SIZE', '128MiB').audit.maxTotalBytes, 128 * 1024 ** 2);
  assert.equal(read('AUDIT_MAX_AGE', '1d').audit.maxAgeMs, 86_400_000);
  assert.equal(read('AUDIT_MAX_AGE', '36500d').audit.maxAgeMs, 36_500 * 86_400_000);
  assert.equal(read('MAX_LINK_TTL', '1s').maxLinkMs, 1000);
  assert.equal(read('MAX_LINK_TTL', '30d').maxLinkMs, 30 * 86_400_000);
  assert.equal(read('BODY_IDLE_TIMEOUT', '5s').bodyIdleTimeoutMs, 5000);
  assert.deepEqual(read('CORS_ORIGINS', 'https://a.org,http://b.org:81').corsOrigins, [
    'https://a.org',
    'http://b.org:81',
  ]);
  assert.deepEqual(read('WEBHOOK_URL', 'http://a.org/x').webhook, { url: 'http://a.org/x', secret: null });
  assert.deepEqual(read('ON_COMPLETE', `/opt/run  --name "a b"'c' ""`).onComplete, {
    command: ['/opt/run', '--name', 'a bc', ''],
    timeoutMs: 3_600_000,
    env: {},
  });
  const secret = {
    PATH: '/bin',
    LANG: 'C',
    CRYOLIFT_ON_COMPLETE: 'true',
    CRYOLIFT_JWT_SECRET: 'planted',
    AWS_SECRET: 'x',
  };
  assert.deepEqual(readConfig(secret).onComplete?.env, { PATH: '/bin', LANG: 'C' });
  assert.equal(read('METRICS', 'off').metrics, false);
  assert.equal(read('LOG_LEVEL', 'silent').logLevel, 'silent');
});

test('config: a bad value stops the start with one line that names the setting', () => {
  const bad: Record<string, string[]> = {
    PORT: ['-1', '65536', 'http', '80.5'],
    DATABASE_URL: ['mysql://db/x', '/srv/db', 'postgres://a:x'],
    STORAGE_URL: ['/srv/files', 'file://host/share', ...BAD_BUCKETS],
    S3_ACCESS_KEY_ID: ['without a bucket'],
    S3_SECRET_ACCESS_KEY: ['without a bucket'],
    JWT_PUBLIC_KEY: ['/nowhere/key.pem', '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----'],
    JWKS_URL: ['id.example.org', 'file:///keys'],
    TRUST_PROXY: [
      'maybe',
      '17',
      '-1',
      '10.0.0',
      '10.0.0.0/33',
      '10.0.0.0/0',
      '::/129',
      '10.0.0.0/8/8',
      'a.org,::1',
      ',',
    ],
    PUBLIC_URL: ['up.example.org'],
    MAX_FILE_SIZE: ['0', 'big', '1PiB'],
    PART_SIZE: ['1', '65535', '6GiB', '8'],
    SESSION_TTL: ['7', '0s', 'week'],
    ACCEPT: ['tif,../x', 'a.b'],
    QUOTA_BYTES: ['-1', 'much'],
    RATE_LIMIT: ['0', '1.5', '1000001'],
    QUOTA_FILES: ['0', '1.5', 'many', '1000000001'],
    AUDIT_MAX_SIZE: ['127MiB', 'much'],
    AUDIT_MAX_AGE: ['23h', '7', '36501d'],
    MAX_LINK_TTL: ['12', '0s', '999ms', '31d', '2592001s'],
    BODY_IDLE_TIMEOUT: ['30', '0s'],
    CORS_ORIGINS: ['*', 'a.org', 'https://a.org/path', 'https://a.org/'],
    PART_ORIGINS: ['a.org', 'https://a.org/', Array.from('abcdefghi', (name) => `https://${name}.org`).join()],
    METRICS: ['perhaps'],
    LOG_LEVEL: ['loud', 'INFO'],
    WEBHOOK_URL: ['a.org', 'ftp://a.org'],
    ON_COMPLETE: [' ', 'say "hello', "it's"],
    ON_COMPLETE_TIMEOUT: ['5', '0s', '30d'],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) assert.throws(() => read(name, value), names(`CRYOLIFT_${name}`), `${name}=${value}`);
  }
});

test('config: part origins are further ones of the public URL, and no less secure', () => {
  const read = (PART_ORIGINS: string, PUBLIC_URL = 'https://a.org/') =>
    readConfig({ CRYOLIFT_PART_ORIGINS: PART_ORIGINS, CRYOLIFT_PUBLIC_URL: PUBLIC_URL }).partOrigins;
  assert.deepEqual(read('https://b.org,https://a.org:81,https://b.org'), ['https://b.org', 'https://a.org:81']);
  assert.deepEqual(read('http://b.org,https://b.org', 'http://a.org'), ['http://b.org', 'https://b.org']);
  for (const [origins, publicUrl] of [
    ['https://b.org', ''],
    ['https://a.org', 'https://a.org/'],
    ['http://b.org', 'https://a.org/'],
  ] as const) {
    assert.throws(() => read(origins, publicUrl), names('CRYOLIFT_PART_ORIGINS'), origins);
  }
});

test('config: a webhook secret needs a webhook', () => {
  assert.throws(() => read('WEBHOOK_SECRET', 'x'), names('CRYOLIFT_WEBHOOK_URL'));
  const both = readConfig({ CRYOLIFT_WEBHOOK_URL: 'https://a.org', CRYOLIFT_WEBHOOK_SECRET: 'whsec_x' });
  assert.deepEqual(both.webhook, { url: 'https://a.org', secret: 'whsec_x' });
  const empty = { CRYOLIFT_WEBHOOK_URL: 'https://a.org', CRYOLIFT_WEBHOOK_SECRET: 'whsec_' };
  assert.throws(() => readConfig(empty), names('CRYOLIFT_WEBHOOK_SECRET'));
  assert.throws(
    () => read('WEBHOOK_URL', 'https://ada:swordfish@a.org'),
    (error: Error) => /^CRYOLIFT_WEBHOOK_URL: /.test(error.message) && !error.message.includes('swordfish'),
  );
});

test('config: unknown settings are refused, those of the command line are ignored', () => {
  assert.throws(() => read('PORTS', '1'), names('CRYOLIFT_PORTS'));
  assert.throws(() => read('PORTS', ''), names('CRYOLIFT_PORTS'));
  assert.throws(() => readConfig({}, { ports: '1' }), names('--ports'));
  readConfig({ CRYOLIFT_SERVER: 'x', CRYOLIFT_TOKEN: 'y', OTHER: 'z' });
});

test('config: flags win over the environment; an empty value counts as not given', () => {
  const env = { CRYOLIFT_PORT: '1', CRYOLIFT_PART_SIZE: '1MiB', CRYOLIFT_LOG_LEVEL: '' };
  const config = readConfig(env, { port: '2', 'part-size': '', 'log-level': undefined });
  assert.deepEqual([config.port, config.partSizeBytes, config.logLevel], [2, 1024 ** 2, null]);
  assert.throws(() => readConfig({}, { port: 'x' }), names('CRYOLIFT_PORT'));
});
