/** Reads values of settings, except sizes and durations. Each function throws an Error that says what is expected. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ANY_TYPE } from '@cryolift/protocol/accepted-types';
import { parseBounded } from '@cryolift/protocol/quantity';

const MIN_SECRET_BYTES = 32;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export function parseBoolean(text: string): boolean {
  const value = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(value)) return true;
  if (['false', '0', 'no', 'off'].includes(value)) return false;
  throw new Error(`"${text}" is neither true nor false`);
}

/**
 * `true`, the number of proxies in a row, or their addresses. @returns a number, 0 for none, or addresses and CIDR
 * blocks.
 */
export function parseProxies(text: string): number | string[] {
  if (/^\d+$/.test(text)) return parseBounded(text, { kind: 'number', min: '0', max: '16' });
  if (/^[a-z]+$/i.test(text)) return parseBoolean(text) ? 1 : 0;
  const blocks = parseList(text);
  const bad = blocks.find((block) => !isBlock(block));
  if (bad !== undefined || blocks.length === 0) {
    throw new Error(`"${bad ?? text}" is neither true, a number of proxies nor an address like 10.0.0.7 or 10.0.0.0/8`);
  }
  return blocks;
}

function isBlock(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d*$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** Separated by commas or blanks. */
export function parseList(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '');
}

/**
 * Words, separated by blanks; those in quotes keep their blanks. No shell is involved: other characters have no special
 * meaning.
 */
export function parseCommand(text: string): string[] {
  const words = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  if (words.length === 0 || /["']/.test(text.replace(/"[^"]*"|'[^']*'/g, ''))) {
    throw new Error(`"${text}" is not a command like /opt/segment --fast "with blanks"`);
  }
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double = '', single = '') => double + single));
}

export function parseWebUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new Error(`"${text}" is not an http or https URL`);
  return text;
}

/** @returns the path; null for a URL of the scheme alone. */
export function parseLocalUrl(url: string, scheme: 'sqlite:' | 'file:'): string | null {
  if (!url.startsWith(scheme)) return fail(`this version supports only ${scheme}PATH`);
  if (url === scheme) return null;
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice(scheme.length).replace(/^\/\//, ''));
}

/** @returns file extensions without a dot, lower case; `*` alone for any type. */
export function parseTypes(value: string): string[] {
  const types = parseList(value);
  if (types.includes(ANY_TYPE)) return [ANY_TYPE];
  return types.map((type) => {
    const extension = type.replace(/^\*?\./, '').toLowerCase();
    return /^[a-z0-9_-]+$/.test(extension) ? extension : fail(`"${type}" is not a file extension`);
  });
}

export function parseOrigin(value: string): string {
  return new URL(parseWebUrl(value)).origin === value
    ? value
    : fail(`"${value}" is not an origin like https://example.org`);
}

const MAX_PART_ORIGINS = 8;

/** Up to eight origins, each once. */
export function parsePartOrigins(value: string): string[] {
  const origins = [...new Set(parseList(value).map(parseOrigin))];
  return origins.length <= MAX_PART_ORIGINS ? origins : fail(`at most ${MAX_PART_ORIGINS} origins`);
}

export function parseLevel(value: string): string {
  return LOG_LEVELS.includes(value) ? value : fail(`is one of ${LOG_LEVELS.join(', ')}`);
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fail(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function fail(message: string): never {
  throw new Error(message);
}

/** A secret that everything that is signed hangs on. */
export function parseSecret(text: string): string {
  if (Buffer.byteLength(text) < MIN_SECRET_BYTES) throw new Error(`must have ${MIN_SECRET_BYTES} bytes or more`);
  return text;
}

/** The header that names a file to a proxy. */
export type Sendfile =
  /** nginx: a path below an internal location (`prefix`, with a slash at both ends). */
  | { readonly header: 'x-accel-redirect'; readonly prefix: string }
  /** Apache and lighttpd: a path on the disk. */
  | { readonly header: 'x-sendfile' };

/** @throws Error */
export function parseSendfile(text: string): Sendfile {
  if (text === 'x-sendfile') return { header: 'x-sendfile' };
  const [, prefix] = /^x-accel-redirect:(\/(?:[\w.~-]+\/)+)$/.exec(text) ?? [];
  if (prefix !== undefined) return { header: 'x-accel-redirect', prefix };
  throw new Error(`"${text}" is neither x-sendfile nor x-accel-redirect:/PREFIX/`);
}
