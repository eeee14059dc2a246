/** Lists of the files that a dataset is to have: a line for each, as people and `sha256sum` write them. */
import { DATASET_LIMITS } from '@cryolift/protocol/dataset-limits';
import { cleanPath } from '@cryolift/protocol/file-path';
import { type ExpectedFile, ExpectedFiles } from '@cryolift/protocol/messages';
import { Value } from 'typebox/value';
import { UsageError } from '../process/exit.ts';

/** GNU coreutils: an escaped name has a backslash in front of the digest. Get-FileHash writes capitals. */
const CHECKSUM = /^(\\?)([0-9a-f]{64}) [ *](.+)$/i;
/** With `--tag`, and on BSD. */
const TAGGED = /^SHA256 \((.+)\) = ([0-9a-f]{64})$/i;
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r' };
const ABSOLUTE = /^([/\\]|[a-z]:[/\\])/i;

interface Names {
  /** Of the list, for messages. */
  readonly name: string;
  /** Folders in front of each path. */
  readonly prefix: string;
  readonly platform?: NodeJS.Platform;
}

/**
 * Reads `PATH`, `SHA256  PATH`, `SHA256 (PATH) = …` and JSON objects with `path`, `size` and `sha256`, one on each line,
 * which may end with CRLF. Empty lines are passed over.
 *
 * @returns each path once. @throws UsageError which names the line: a path that cannot be one of a dataset, or that is
 * there with another size or digest; without any path; above the limit of a dataset.
 */
export function parseExpected(text: string, { name, prefix, platform = process.platform }: Names): ExpectedFile[] {
  const files = new Map<string, { file: ExpectedFile; line: number }>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const fail = (message: string) => new UsageError(`${name}: line ${at + 1}: ${message}`);
    const given = line.startsWith('{') ? parseObject(line, fail) : parseLine(line);
    const file = { ...given, path: toPath(given.path, { prefix, platform }, fail) };
    const before = files.get(file.path);
    if (before && !isSame(before.file, file)) throw fail(`${file.path} is in line ${before.line} as another file`);
    files.set(file.path, before ?? { file, line: at + 1 });
    if (files.size > DATASET_LIMITS.expectedFiles) {
      throw new UsageError(`${name}: more than the ${DATASET_LIMITS.expectedFiles} files that a dataset may expect`);
    }
  }
  if (files.size === 0) throw new UsageError(`${name} names no file`);
  return [...files.values()].map(({ file }) => file);
}

/** A path that was given on the command line. @throws UsageError as `parseExpected`. */
export function parseExpectedPath(path: string, prefix: string): string {
  return toPath(path, { prefix, platform: process.platform }, (message) => new UsageError(message));
}

type Fail = (message: string) => UsageError;

function parseLine(line: string): ExpectedFile {
  const [, escaped, digest, name] = CHECKSUM.exec(line) ?? [];
  if (digest !== undefined && name !== undefined) {
    const path = escaped === '' ? name : name.replace(/\\[\\nr]/g, (each) => ESCAPES[each] ?? each);
    return { path, sha256: digest.toLowerCase() };
  }
  const [, path, sha256] = TAGGED.exec(line) ?? [];
  return path === undefined || sha256 === undefined ? { path: line } : { path, sha256: sha256.toLowerCase() };
}

function parseObject(line: string, fail: Fail): ExpectedFile {
  try {
    const value: unknown = JSON.parse(line);
    if (Value.Check(ExpectedFiles.items, value)) {
      const { path, size, sha256 } = value;
      return { path, ...(size === undefined ? {} : { size }), ...(sha256 === undefined ? {} : { sha256 }) };
    }
  } catch {
    // As below.
  }
  throw fail('this is no object with path and, if known, size (bytes) and sha256 (64 digits in lower case)');
}

function toPath(given: string, { prefix, platform }: { prefix: string; platform: NodeJS.Platform }, fail: Fail) {
  if (ABSOLUTE.test(given)) throw fail(`${given} is absolute: a path begins below the folder that is uploaded`);
  const segments = (platform === 'win32' ? given.replaceAll('\\', '/') : given).split('/');
  if (segments.includes('..')) throw fail(`${given} leads out of its folder`);
  const path = cleanPath(segments.join('/'));
  if (path === '') throw fail('the path is empty');
  const whole = cleanPath(`${prefix}/${path}`);
  if (whole.length <= DATASET_LIMITS.path) return whole;
  throw fail(`the path has ${whole.length} characters; ${DATASET_LIMITS.path} are allowed`);
}

function isSame(a: ExpectedFile, b: ExpectedFile): boolean {
  return a.size === b.size && a.sha256 === b.sha256;
}
