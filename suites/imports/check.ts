/** Checks the imports and names of one file against the rules. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { MODULES, PACKAGES, RESERVED } from './rules.ts';
import { type Import, type Mention, scanSource } from './scan.ts';

const ROOT = join(import.meta.dirname, '../..');

/** @returns what is wrong with the imports and names of a file, as `path:line: rule`. */
export function checkFile(file: string, source: string): string[] {
  const { imports, mentions } = scanSource(source);
  const name = packageOf(file);
  if (!PACKAGES[name]) return [`${file}:1: ${name} is not in PACKAGES of suites/imports/rules.ts`];
  return [
    ...imports.flatMap((found) =>
      [checkArrow(file, found), checkModule(file, found)].map((rule) => [found, rule] as const),
    ),
    ...imports.map((found) => [found, checkReserved(file, targetOf(file, found) ?? '')] as const),
    ...mentions.map((found) => [found, checkReserved(file, found.name)] as const),
  ].flatMap(([found, rule]: readonly [Import | Mention, string | null]) =>
    rule ? [`${file}:${found.line}: ${rule}`] : [],
  );
}

/** Between packages. */
function checkArrow(file: string, found: Import): string | null {
  const from = packageOf(file);
  const target = targetOf(file, found);
  if (target === null) return 'a computed import cannot be checked: write the path out';
  if (found.specifier?.startsWith('.')) {
    return target.startsWith(`packages/${from}/`) ? null : `${found.specifier} leaves its package`;
  }
  // The package of the command line is called as its command.
  const [, to, path] = /^@cryolift\/([^/]+)(.*)$/.exec(target.replace(/^cryolift(?=\/|$)/, '@cryolift/cli')) ?? [];
  if (to === undefined || path === undefined || to === from) return null;
  const place = placeOf(file);
  const allowed = PACKAGES[place] ?? [];
  if (!allowed.includes(to) && !allowed.includes(`${to}${path}`))
    return `${place} may not import ${to} (only: ${allowed.join(', ') || 'no package'})`;
  const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', to, 'package.json'), 'utf8')) as { exports: object };
  const exported = Object.keys(manifest.exports).some((key) => posix.matchesGlob(`.${path}`, key));
  return exported ? null : `@cryolift/${to} does not export .${path}`;
}

/** Between the modules of the server. */
function checkModule(file: string, found: Import): string | null {
  const from = moduleOf(file);
  const to = moduleOf(targetOf(file, found) ?? '');
  if (!from || !to || from === to) return null;
  const allowed = MODULES[from];
  if (!allowed) return `${from} is not in MODULES of suites/imports/rules.ts`;
  if (allowed.includes(to)) return null;
  if (!allowed.includes(`import type ${to}`))
    return `${from} may not import ${to} (only: ${allowed.join(', ') || 'no module'})`;
  return found.typeOnly ? null : `${from} may only \`import type\` ${to}`;
}

function checkReserved(file: string, used: string): string | null {
  const rule = RESERVED.find(({ what, within, only }) => {
    return (
      file.startsWith(within) &&
      !only.some((place) => file.startsWith(place)) &&
      what.some((each) => covers(each, used))
    );
  });
  return rule ? `${used} is only for ${rule.only.join(', ')}` : null;
}

/** `fastify` covers `fastify/x`, a name that ends in a slash what lies in it, `node:*` every module of Node. */
function covers(what: string, used: string): boolean {
  if (what.endsWith('*')) return used.startsWith(what.slice(0, -1));
  return used === what || used.startsWith(what.endsWith('/') ? what : `${what}/`);
}

/** A path in this repository for a relative import, else the specifier; null when it is computed. */
function targetOf(file: string, { specifier }: Import): string | null {
  return specifier?.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;
}

function packageOf(file: string): string {
  return file.split('/')[1] ?? '';
}

/** The innermost place in PACKAGES that the file lies in. */
function placeOf(file: string): string {
  const places = Object.keys(PACKAGES).filter((place) => file.startsWith(`packages/${place}/`));
  return places.sort((a, b) => b.length - a.length)[0] ?? packageOf(file);
}

/** `http`, `uploads` … for what lies in packages/server/src; null elsewhere. */
function moduleOf(path: string): string | null {
  const [, first, rest] = /^packages\/server\/src\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  if (!first) return null;
  return rest || MODULES[first] ? first : 'top';
}
