/** Finds the calls in the sources of the server that outlive the process, and have no durable step around them. */

/** Of `node:fs` and `node:fs/promises`, also with `Sync`. */
const FILE_CALLS = [
  ...['rename', 'rm', 'rmdir', 'unlink', 'link', 'symlink', 'mkdir', 'chmod', 'truncate', 'copyFile', 'cp'],
  ...['writeFile', 'appendFile', 'write', 'writev', 'fsync', 'fdatasync', 'fchmod', 'ftruncate'],
];
/** Of a file handle. */
const HANDLE_CALLS = ['sync', 'datasync', 'truncate', 'write', 'writev', 'writeFile', 'appendFile', 'chmod'];
/** Commands of S3 that change nothing. */
const READING = /^(Get|Head|List)/;
const IMPORT = /^import (type )?\{([^}]*)\} from '(node:fs(?:\/promises)?)';/gm;

export interface DurableCall {
  readonly line: number;
  readonly call: string;
}

/** @param text of a TypeScript module. @returns its durable calls that are in no step. */
export function findUnannounced(text: string): DurableCall[] {
  const steps = findSteps(text);
  const code = withoutComments(text);
  const isOutside = (at: number) => !steps.some(({ start, end }) => start < at && at < end);
  return findCalls(code)
    .filter(({ at }) => isOutside(at))
    .map(({ at, call }) => ({ line: code.slice(0, at).split('\n').length, call }));
}

function findCalls(code: string): { at: number; call: string }[] {
  return [...findFileCalls(code), ...findCommits(code), ...findCommands(code)];
}

function findFileCalls(code: string): { at: number; call: string }[] {
  const imported = [...code.matchAll(IMPORT)].flatMap(([, isType, names = '']) =>
    names.split(',').map((name) => ({ name: name.trim().replace(/^type /, ''), isType: isType !== undefined })),
  );
  if (imported.length === 0) return [];
  const free = imported
    .map(({ name }) => / as (\w+)$/.exec(name)?.[1] ?? name)
    .filter((_, index) => {
      const [original = ''] = imported[index]?.name.split(' as ') ?? [];
      return FILE_CALLS.includes(original.replace(/Sync$/, ''));
    });
  const hasHandles = imported.some(({ name }) => ['open', 'FileHandle'].includes(name));
  const calls = free.map((name) => new RegExp(`(?<![.\\w#])(?<!function )${name}\\(`, 'g'));
  if (hasHandles) calls.push(new RegExp(`\\b\\w*(?:handle|file|folder)\\.(?:${HANDLE_CALLS.join('|')})\\(`, 'gi'));
  return calls.flatMap((pattern) => findAll(code, pattern));
}

/** Transactions of SQLite; those of PostgreSQL are committed by the text that Kysely sends, in one place. */
function findCommits(code: string): { at: number; call: string }[] {
  return [
    ...findAll(code, /\bexecute\((?:\{ sql: )?'commit'/g),
    ...findAll(code, /\.prepare\('VACUUM INTO/g),
    ...findAll(code, /\.exec\(\s*["'`](?:DELETE|INSERT|UPDATE)/gi),
  ];
}

/** What is sent is named where it is made, before. */
function findCommands(code: string): { at: number; call: string }[] {
  const commands = [...code.matchAll(/new (\w+)Command\(/g)].map(({ index, 1: name = '' }) => ({ index, name }));
  return [...code.matchAll(/(?:client|patient)\.send\((?:new (\w+)Command)?/g)].flatMap(({ index, 1: inline }) => {
    const name = inline ?? commands.findLast((command) => command.index < index)?.name ?? 'Unknown';
    return READING.test(name) ? [] : [{ at: index, call: `send ${name}` }];
  });
}

function findAll(code: string, pattern: RegExp): { at: number; call: string }[] {
  return [...code.matchAll(pattern)].map((match) => ({ at: match.index, call: match[0].replace(/\($/, '') }));
}

/** From the bracket of each `durableStep(` to the one that closes it. */
function findSteps(text: string): { start: number; end: number }[] {
  return [...text.matchAll(/\bdurableStep\(/g)].map(({ index, 0: { length } }) => {
    let depth = 1;
    let at = index + length;
    for (; depth > 0 && at < text.length; at++) depth += { '(': 1, ')': -1 }[text[at] as string] ?? 0;
    return { start: index, end: at };
  });
}

/** Of the same length. */
function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\/|^ *\/\/[^\n]*/gms, (comment) => comment.replace(/[^\n]/g, ' '));
}
