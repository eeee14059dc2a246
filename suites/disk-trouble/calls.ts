/** The kinds of calls of the file system that the server makes: read from its sources, so that a new one is a trial. */

/** Of a file handle. */
const HANDLE_CALLS = [
  ...['appendFile', 'chmod', 'close', 'datasync', 'read', 'readFile', 'stat', 'sync', 'truncate', 'write'],
  ...['writeFile', 'writev'],
];
const IMPORT = /^import (type )?\{([^}]*)\} from 'node:fs(?:\/promises)?';/gm;

/**
 * @param text of a TypeScript module.
 * @returns the names of the calls of `node:fs` that it makes, as preload.mjs names them: `rename`, `handle.sync`.
 */
export function findCalls(text: string): string[] {
  const code = text.replace(/\/\*.*?\*\/|^ *\/\/[^\n]*/gms, '');
  const names = [...code.matchAll(IMPORT)]
    .filter(([, isType]) => isType === undefined)
    .flatMap(([, , list = '']) => list.split(',').map((name) => name.trim()))
    .filter((name) => name !== '' && !name.startsWith('type '));
  if (names.length === 0) return [];
  const calls = names.flatMap((name) => {
    const [original = '', local = original] = name.split(' as ');
    return new RegExp(`(?<![.\\w#])(?<!function )${local}\\(`).test(code) ? [original] : [];
  });
  const ofHandles = HANDLE_CALLS.filter((name) =>
    new RegExp(`(?:\\b|#|\\?\\.)\\w*(?:handle|file|folder|open\\([^;]*\\)\\))\\??\\.${name}\\(`, 'i').test(code),
  );
  const hasHandles = /\b(open|FileHandle)\b/.test(names.join()) || /\btype FileHandle\b/.test(code);
  return [...calls, ...(hasHandles ? ofHandles.map((name) => `handle.${name}`) : [])].sort();
}
