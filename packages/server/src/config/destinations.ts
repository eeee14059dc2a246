/**
 * Reads the file of destinations: the places that datasets may be pushed to. The server opens connections to these and
 * to no other place, whatever callers ask for.
 */
import { dirname, resolve } from 'node:path';
import { DESTINATION_KINDS, type DestinationKind } from '@cryolift/protocol/messages';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parseStorageUrl } from './storage-url.ts';
import { readText } from './values.ts';

interface Common {
  readonly name: string;
  /** Owners whose datasets may be pushed there; null: all. */
  readonly owners: readonly string[] | null;
  /** As the file has it: what callers may name as well. */
  readonly url: string;
}

export interface CryoliftTarget extends Common {
  readonly kind: 'cryolift';
  readonly token: string;
}

export interface S3Target extends Common {
  readonly kind: 's3';
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string | null;
  readonly region: string;
  readonly pathStyle: boolean;
  /** Null: the chain of AWS. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

export interface SftpTarget extends Common {
  readonly kind: 'sftp';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absolute, or below the folder of the account when it begins with `~/`. */
  readonly folder: string;
  readonly password: string | null;
  readonly privateKey: string | null;
  readonly passphrase: string | null;
  /** The SHA-256 of the key of the host, as `ssh-keygen -l` prints it: `SHA256:…`. */
  readonly hostKey: string;
}

export interface WebDavTarget extends Common {
  readonly kind: 'webdav';
  readonly user: string | null;
  readonly password: string | null;
  readonly token: string | null;
}

export type DestinationConfig = CryoliftTarget | S3Target | SftpTarget | WebDavTarget;

/** Each may come from a file of its own: `token_file` instead of `token`. */
const SECRETS = ['token', 'password', 'private_key', 'passphrase', 'secret_access_key'] as const;
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const HOST_KEY = /^SHA256:[A-Za-z0-9+/]{43}$/;
const Given = Type.Optional(Type.String({ minLength: 1 }));

const Entry = Type.Object(
  {
    kind: Type.Enum([...DESTINATION_KINDS] as [DestinationKind, ...DestinationKind[]]),
    url: Type.String({ minLength: 1 }),
    owners: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    user: Given,
    host_key: Given,
    access_key_id: Given,
    ...Object.fromEntries(SECRETS.flatMap((name) => [name, `${name}_file`]).map((name) => [name, Given])),
  },
  { additionalProperties: false },
);
type Entry = Static<typeof Entry> & Readonly<Record<string, string | undefined>>;

/** What each kind takes beside `kind`, `url` and `owners`. */
const FIELDS: Readonly<Record<DestinationKind, readonly string[]>> = {
  cryolift: ['token'],
  s3: ['access_key_id', 'secret_access_key'],
  sftp: ['user', 'password', 'private_key', 'passphrase', 'host_key'],
  webdav: ['user', 'password', 'token'],
};

/** @param path of a JSON object: destinations by name. @throws Error that says what is wrong, without secrets. */
export function readDestinations(path: string): DestinationConfig[] {
  const text = readText(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The message of the parser would quote the file.
    throw new Error(`${path} is not JSON`);
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    throw new Error(`${path} is not a JSON object of destinations by name`);
  }
  return Object.entries(json).map(([name, entry]) => {
    try {
      return readEntry(name, entry, dirname(resolve(path)));
    } catch (error) {
      throw new Error(`${path}: "${name}": ${(error as Error).message}`);
    }
  });
}

function readEntry(name: string, json: unknown, folder: string): DestinationConfig {
  if (!NAME.test(name)) return fail('a name has small letters, digits and -, 64 at most');
  const [error] = Value.Errors(Entry, json);
  if (error) return fail(`${error.instancePath.slice(1) || 'the entry'} ${error.message}`);
  const entry = withSecrets(json as Entry, folder);
  const given = Object.keys(entry).filter((key) => !['kind', 'url', 'owners'].includes(key));
  const other = given.find((key) => !FIELDS[entry.kind].includes(key));
  if (other !== undefined) return fail(`${entry.kind} has no ${other}`);
  return READERS[entry.kind]({ name, url: entry.url, owners: entry.owners ?? null }, entry);
}

/** @returns the entry with the contents of the files that it names. */
function withSecrets(entry: Entry, folder: string): Entry {
  const all = Object.fromEntries(Object.entries(entry).filter(([key]) => !key.endsWith('_file')));
  for (const name of SECRETS) {
    const path = entry[`${name}_file`];
    if (path === undefined) continue;
    if (entry[name] !== undefined) return fail(`has ${name} and ${name}_file`);
    const text = readText(resolve(folder, path)).trim();
    all[name] = name === 'private_key' ? `${text}\n` : text;
  }
  return all as Entry;
}

const READERS: Readonly<Record<DestinationKind, (common: Common, entry: Entry) => DestinationConfig>> = {
  cryolift: (common, { token }) => ({
    ...common,
    kind: 'cryolift',
    url: webUrl(common.url),
    token: token ?? fail('needs token or token_file'),
  }),
  s3(common, { access_key_id: id, secret_access_key: secret }) {
    if ((id === undefined) !== (secret === undefined))
      return fail('needs access_key_id and secret_access_key, or neither');
    const url = common.url.startsWith('s3:') ? parseStorageUrl(common.url) : null;
    if (url?.kind !== 's3') return fail(`${common.url} is not a URL like s3://BUCKET/PREFIX?endpoint=URL&region=NAME`);
    const { bucket, prefix, endpoint, region, pathStyle } = url;
    const place = { bucket, prefix, endpoint, region: region ?? 'us-east-1', pathStyle };
    const credentials = id && secret ? { accessKeyId: id, secretAccessKey: secret } : null;
    return { ...common, ...place, kind: 's3', url: common.url.split('?', 1)[0] as string, credentials };
  },
  sftp(common, { user, password = null, private_key: privateKey = null, passphrase = null, host_key: hostKey }) {
    const url = URL.canParse(common.url) ? new URL(common.url) : null;
    if (url?.protocol !== 'sftp:' || url.hostname === '' || url.search !== '' || url.password !== '') {
      return fail(`${common.url} is not a URL like sftp://USER@HOST/FOLDER`);
    }
    const name = user ?? decodeURIComponent(url.username);
    if (name === '') return fail('needs user');
    if (password === null && privateKey === null) return fail('needs private_key_file or password_file');
    if (hostKey === undefined || !HOST_KEY.test(hostKey)) {
      return fail('needs host_key, as ssh-keyscan HOST | ssh-keygen -lf - prints it: SHA256:…');
    }
    const folder = decodeURIComponent(url.pathname)
      .replace(/\/+$/, '')
      .replace(/^\/~\//, '');
    const port = url.port === '' ? 22 : Number(url.port);
    return {
      ...common,
      kind: 'sftp',
      host: url.hostname,
      port,
      user: name,
      folder,
      password,
      privateKey,
      passphrase,
      hostKey,
    };
  },
  webdav(common, { user = null, password = null, token = null }) {
    if ((user === null) !== (password === null)) return fail('needs user and password_file, or neither');
    return { ...common, kind: 'webdav', url: webUrl(common.url), user, password, token };
  },
};

/** Credentials do not travel without TLS, except on this machine. */
function webUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return fail(`${text} is not an http or https URL`);
  if (url.username !== '' || url.password !== '') return fail('the URL must not contain a user');
  if (url.search !== '' || url.hash !== '') return fail('the URL must not contain ? or #');
  const isLocal = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol === 'http:' && !isLocal) return fail('the URL must begin with https:');
  return url.href.replace(/\/+$/, '');
}

function fail(message: string): never {
  throw new Error(message);
}
