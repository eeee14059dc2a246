/**
 * Finds database rows and database handles that reach a module through the declarations that it imports. Only the text of
 * declarations is read, as Biome formats it; a function without a written return type is reported, because it cannot be checked.
 */
import { posix } from 'node:path';

/** Files whose types are rows, and the handle. */
const ROWS = /\/src\/db\/(?:tables|database)\.ts$/;
/** A module passes its context through `http/`, which must not use its `db`. */
const OPAQUE = /Context$/;

type Read = (file: string) => string;

interface Named {
  readonly name: string;
  readonly file: string;
}

/** @returns the rows that `file` can reach, as `imported name: path to the row`. */
export function findRows(file: string, read: Read): string[] {
  return importsOf(file, read(file))
    .filter(({ file: target }) => isOurs(target) && moduleOf(target) !== moduleOf(file))
    .flatMap((each) => follow(each, read, [], new Set()));
}

/** @returns the lines at which `source` uses a property or a variable that is called `db`. */
export function findHandles(source: string): number[] {
  return withoutText(source)
    .split('\n')
    .flatMap((line, at) => (/(?:\.|[{,]\s*)db\b(?!\s*:)/.test(line) ? [at + 1] : []));
}

/** @returns the names that `source` exports although they are declared in `db/`. */
export function findReexports(file: string, source: string): string[] {
  const imported = new Set(
    importsOf(file, source)
      .filter((each) => ROWS.test(each.file))
      .map(({ name }) => name),
  );
  const exported = [
    ...withoutText(source, true).matchAll(/^export\s+(?:type\s+)?\{([^}]*)\}(?:\s+from\s+'([^']+)')?/gm),
  ];
  return exported.flatMap(([, names = '', from]) => {
    if (from !== undefined) return ROWS.test(resolve(file, from)) ? namesIn(names) : [];
    return namesIn(names).filter((name) => imported.has(name));
  });
}

function follow({ name, file }: Named, read: Read, path: readonly string[], seen: Set<string>): string[] {
  const key = `${file} ${name}`;
  if (seen.has(key) || OPAQUE.test(name)) return [];
  seen.add(key);
  const here = [...path, name];
  if (ROWS.test(file)) return [here.join(' → ')];
  const source = withoutText(read(file), true);
  const declared = declarationOf(source, name);
  if (declared === null) return [];
  if (declared === 'no return type') return [`${here.join(' → ')}: its return type is not written`];
  const words = new Set(declared.match(/\b[A-Z]\w*/g));
  words.delete(name);
  const imported = new Map(importsOf(file, source).map((each) => [each.name, each.file]));
  return [...words].flatMap((word) => {
    const target = imported.get(word) ?? file;
    return isOurs(target) ? follow({ name: word, file: target }, read, here, seen) : [];
  });
}

/** @returns the exported interface: a signature, a type, the signatures of a class; null when it is none of these. */
function declarationOf(source: string, name: string): string | null {
  const lines = source.split('\n');
  const start = lines.findIndex((line) =>
    new RegExp(`^(?:export )?(?:abstract |async )?(?:function|class|interface|type)\\*? ${name}\\b`).test(line),
  );
  if (start < 0) return null;
  const first = lines[start] ?? '';
  const rest = lines.slice(start);
  if (/\bfunction\b/.test(first)) {
    const end = rest.findIndex((line, at) => line.endsWith('{') && (at === 0 || /^[)}]/.test(line)));
    const signature = rest.slice(0, end + 1).join('\n');
    return /\): [^)]*\{$/.test(signature) || /\): .*[>\])}] \{$/.test(signature) ? signature : 'no return type';
  }
  if (/\btype\b/.test(first)) return rest.slice(0, rest.findIndex((line) => line.endsWith(';')) + 1).join('\n');
  const body = rest.slice(0, rest.indexOf('}') + 1);
  if (/\binterface\b/.test(first)) return body.join('\n');
  return body.filter((line) => /^ {2}(?:async |get |readonly )?(?!#|constructor)\w+[(:<]/.test(line)).join('\n');
}

function importsOf(file: string, source: string): Named[] {
  return [...source.matchAll(/^(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'([^']+)'/gm)].flatMap(
    ([, names = '', from = '']) => namesIn(names).map((name) => ({ name, file: resolve(file, from) })),
  );
}

/** The declared names in `a, type B, c as d`. */
function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((each) =>
      each
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/, ''),
    )
    .filter((name) => name !== '');
}

function resolve(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;
}

function moduleOf(file: string): string | undefined {
  return file.split('/')[3];
}

function isOurs(file: string): boolean {
  return file.startsWith('packages/server/src/') && file.endsWith('.ts');
}

/** Blanks comments, and unless `keepStrings` strings; lines stay. */
function withoutText(source: string, keepStrings = false): string {
  const text = keepStrings ? /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm : /\/\*[\s\S]*?\*\/|\/\/.*$|'(?:\\.|[^'\\\n])*'/gm;
  return source.replace(text, (found) => found.replace(/[^\n]/g, ' '));
}
