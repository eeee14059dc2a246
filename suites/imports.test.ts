/** The map of the house, checked: which package, module and file may import or mention what. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { test } from 'node:test';
import { findHandles, findReexports, findRows } from './imports/rows.ts';
import { type Import, type Mention, scanSource } from './imports/scan.ts';

/**
 * Package, or a folder in it with arrows of its own → the packages that it may import, or one export of a package. No
 * relative import leaves its package.
 */
const PACKAGES: Arrows = {
  protocol: [],
  mrc: [],
  client: ['protocol', 'mrc'],
  server: ['protocol', 'mrc', 'client/folder-lock'],
  'server/src/commands': ['client', 'protocol', 'mrc', 'cli'],
  cli: ['client', 'protocol', 'mrc'],
  'cli/bin': ['server/commands'], // the entry point adds the commands of the server where it is installed
  web: ['client', 'protocol', 'mrc'],
};

/** Module of packages/server/src → the modules it may import; `import type x`: only its types. */
const MODULES: Arrows = {
  'main.ts': ['server.ts', 'http', 'ops', 'config', 'top'],
  'server.ts': [
    'startup',
    'http',
    'uploads',
    'files',
    'analysis',
    'events',
    'storage',
    'jobs',
    'db',
    'ops',
    'config',
    'top',
  ],
  'backup.ts': ['db', 'config', 'top'],
  commands: ['main.ts', 'backup.ts', 'config', 'top'],
  startup: ['http', 'uploads', 'files', 'analysis', 'events', 'storage', 'jobs', 'db', 'ops', 'config', 'top'],
  config: ['db', 'top'],
  http: ['uploads', 'files', 'analysis', 'events', 'import type storage', 'ops', 'config', 'top'],
  jobs: ['uploads', 'files', 'analysis', 'storage', 'db', 'top'],
  uploads: ['storage', 'analysis', 'files', 'db', 'events', 'top'],
  files: ['storage', 'analysis', 'db', 'events', 'top'],
  analysis: ['storage', 'files', 'db', 'events', 'top'],
  events: ['db', 'top'],
  storage: ['top'],
  db: ['top'],
  ops: ['top'],
  top: [], // small leaves: single-flight.ts, timeout.ts, flush.ts, version.ts
};

/** `what` (a module with all below it, a file or folder of ours, a global) is used inside `within` at `only` and nowhere else. */
const RESERVED: readonly Reservation[] = [
  { what: ['kysely', 'pg'], within: 'packages/', only: ['packages/server/src/db/'] },
  {
    what: ['node:sqlite'],
    within: 'packages/',
    only: [
      'packages/server/src/db/',
      'packages/cli/src/upload/folder-journal.ts', // the journal of a folder
      'packages/client/src/node/folder-lock.ts',
    ],
  },
  {
    what: ['fastify', '@fastify'],
    within: 'packages/',
    only: ['packages/server/src/http/', 'packages/server/src/server.ts'],
  },
  {
    what: ['process.env', 'node:process'],
    within: 'packages/server/',
    only: ['packages/server/src/config/', 'packages/server/src/commands/'],
  },
  {
    what: ['node:fs'],
    within: 'packages/server/',
    only: [
      'packages/server/src/storage/',
      'packages/server/src/db/', // the database file
      'packages/server/src/commands/audit.ts',
      'packages/server/src/config/', // key files, secrets, the folders
      'packages/server/src/ops/audit.ts',
      'packages/server/src/ops/log-stream.ts',
      'packages/server/src/backup.ts',
      'packages/server/src/flush.ts',
    ],
  },
  {
    // The store reaches its disk through wrapped calls only.
    what: ['node:fs'],
    within: 'packages/server/src/storage/disk/',
    only: ['file-system.ts', 'file-source.ts', 'flusher.ts', 'boot-id.ts', 'write-worker.ts', 'digest-worker.ts'].map(
      (file) => `packages/server/src/storage/disk/${file}`,
    ),
  },
  // What runs in a browser.
  ...['packages/protocol/', 'packages/mrc/', 'packages/client/', 'packages/web/src/'].map((within) => ({
    what: ['node:*', 'process', 'Buffer', '@cryolift/client/node', 'packages/client/src/node/'],
    within,
    only: ['packages/client/src/node/'],
  })),
  // What only a browser has: their types are seen everywhere.
  {
    what: [
      'XMLHttpRequest',
      'indexedDB',
      'localStorage',
      'navigator',
      'sessionStorage',
      '@cryolift/client/browser',
      'packages/client/src/browser/',
    ],
    within: 'packages/',
    only: ['packages/client/src/browser/', 'packages/web/'],
  },
];

/** Exempt: tests and what only they stand on. */
const TEST_CODE = /(\.test\.tsx?|\/test-[^/]+\.ts)$/;

/** A folder or file with such a name has no idea of its own. */
const EMPTY_NAMES = /^(utils?|helpers?|common|internal)$/;

type Arrows = Readonly<Record<string, readonly string[]>>;

interface Reservation {
  readonly what: readonly string[];
  readonly within: string;
  readonly only: readonly string[];
}

const ROOT = join(import.meta.dirname, '..');

test('every import follows an allowed arrow', () => {
  const files = globSync('packages/*/{src,bin}/**/*.{ts,tsx,js}', { cwd: ROOT }).filter(
    (file) => !TEST_CODE.test(file),
  );
  const broken = files.flatMap((file) => checkFile(file, readFileSync(join(ROOT, file), 'utf8')));
  assert.ok(
    files.some((file) => file.startsWith('packages/server/src/http/')),
    'the server was found',
  );
  assert.equal(broken.length, 0, `\n${broken.join('\n')}`);
});

test('server: rows of the database and its handle do not reach http/', () => {
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
  const files = globSync('packages/server/src/**/*.ts', { cwd: ROOT }).filter((file) => !TEST_CODE.test(file));
  const http = files.filter((file) => file.startsWith('packages/server/src/http/'));
  assert.ok(http.length > 30, 'the files of http/ were found');
  const broken = [
    ...http.flatMap((file) => findRows(file, read).map((row) => `${file}: ${row}`)),
    ...http.flatMap((file) => findHandles(read(file)).map((line) => `${file}:${line}: uses a db handle`)),
    ...files
      .filter((file) => !file.startsWith('packages/server/src/db/'))
      .flatMap((file) => findReexports(file, read(file)).map((name) => `${file}: exports ${name}, a type of db/`)),
  ];
  assert.equal(broken.length, 0, `\n${broken.join('\n')}`);
});

test('server: the check for rows finds one behind a function, a type, a class and a re-export', () => {
  const tables = 'export type UploadRow = { id: string };';
  const uploads = [
    "import type { UploadRow } from '../db/tables.ts';",
    'export interface Opened {\n  row: UploadRow;\n}',
    'export async function open(context: UploadContext): Promise<Opened> {\n}',
    'export async function find(\n  context: UploadContext,\n): Promise<UploadRow | undefined> {\n}',
    'export class Finder {\n  #row: UploadRow;\n  async take(): Promise<UploadRow> {\n  }\n}',
    'export class Counter {\n  #row: UploadRow;\n  take(): number {\n  }\n}',
    'export interface UploadContext {\n  row: UploadRow;\n}',
    'export function guess(context: UploadContext) {\n}',
    'export function count(context: UploadContext): number {\n}',
  ].join('\n');
  const rowsBehind = (names: string) =>
    findRows('packages/server/src/http/a.ts', (file) => {
      if (file.endsWith('tables.ts')) return tables;
      return file.endsWith('b.ts') ? uploads : `import { ${names} } from '../uploads/b.ts';`;
    });
  assert.deepEqual(rowsBehind('open'), ['open → Opened → UploadRow']);
  assert.deepEqual(rowsBehind('find'), ['find → UploadRow']);
  assert.deepEqual(rowsBehind('Finder'), ['Finder → UploadRow']);
  assert.match(rowsBehind('guess').join(), /return type/);
  assert.deepEqual(rowsBehind('count, Counter, type UploadContext'), []);
  assert.deepEqual(findHandles('const x = 1;\nrun(context.db);\nconst { db } = context;'), [2, 3]);
  const file = 'packages/server/src/uploads/b.ts';
  assert.deepEqual(findReexports(file, "export type { UploadRow } from '../db/tables.ts';"), ['UploadRow']);
  assert.deepEqual(findReexports(file, `${uploads}\nexport type { UploadRow };`), ['UploadRow']);
});

test('no folder or file is named after nothing', () => {
  const paths = globSync('{packages,suites,scripts,bench,examples}/**', { cwd: ROOT, exclude: ['**/node_modules'] });
  assert.deepEqual(
    paths.filter((path) => EMPTY_NAMES.test(basename(path).replace(/\..*/, ''))),
    [],
  );
});

const BROKEN: readonly [file: string, source: string, rule: RegExp][] = [
  ['packages/mrc/src/a.ts', "import { x } from '@cryolift/protocol/plan';", /:1: mrc may not import protocol/],
  ['packages/client/src/a.ts', "\nexport * from '@cryolift/server/main';", /:2: client may not import server/],
  ['packages/server/src/http/a.ts', "import type { X } from '@cryolift/client';", /server may not import client/],
  ['packages/cli/src/a.ts', "import { x } from '@cryolift/server/commands';", /cli may not import server/],
  ['packages/cli/bin/a.js', "import { x } from '@cryolift/server/main';", /cli\/bin may not import server/],
  ['packages/server/src/http/a.ts', "import { x } from 'cryolift/output';", /server may not import cli/],
  ['packages/server/src/commands/a.ts', "import { x } from 'cryolift/bars';", /cli does not export \.\/bars/],
  ['packages/server/src/commands/a.ts', "import { x } from '../db/parts.ts';", /commands may not import db/],
  ['packages/cli/src/a.ts', "import { x } from '../../server/src/config.ts';", /leaves its package/],
  ['packages/cli/bin/a.js', `await import(\`../\${x}\`);`, /computed/],
  ['packages/new/src/a.ts', 'export {};', /new is not in PACKAGES/],
  ['packages/server/src/db/a.ts', "import {\n  x,\n} from '../storage/storage.ts';", /:1: db may not import storage/],
  ['packages/server/src/http/a.ts', "import { x } from '../db/parts.ts';", /http may not import db/],
  [
    'packages/server/src/http/a.ts',
    "import { type X } from '../storage/storage.ts';",
    /http may only `import type` storage/,
  ],
  ['packages/server/src/http/a.ts', "let x: import('../db/tables.ts').Row;", /http may not import db/],
  ['packages/server/src/uploads/a.ts', "export { x } from '../http/app.ts';", /uploads may not import http/],
  ['packages/server/src/uploads/a.ts', "import { x } from '../config/config.ts';", /uploads may not import config/],
  ['packages/server/src/config/a.ts', "import { x } from '../server.ts';", /config may not import server.ts/],
  ['packages/server/src/cache/a.ts', "import { x } from '../db/parts.ts';", /cache is not in MODULES/],
  [
    'packages/server/src/ops/a.ts',
    "new Worker(new URL('../storage/disk/write-worker.ts', import.meta.url));",
    /ops may not import storage/,
  ],
  [
    'packages/server/src/files/a.ts',
    "import type { Kysely } from 'kysely';",
    /kysely is only for packages\/server\/src\/db\//,
  ],
  ['packages/server/src/jobs/a.ts', "import 'fastify/types';", /fastify\/types is only for/],
  ['packages/server/src/ops/a.ts', "import cors from '@fastify/cors';", /@fastify\/cors is only for/],
  ['packages/server/src/uploads/a.ts', "const fs = await import('node:fs/promises');", /node:fs\/promises is only for/],
  [
    'packages/server/src/storage/disk/disk-storage.ts',
    "import { rm } from 'node:fs/promises';",
    /node:fs\/promises is only for/,
  ],
  ['packages/server/src/main.ts', 'const x = { ...process.env };', /process\.env is only for/],
  ['packages/mrc/src/a.ts', "import { join } from 'node:path';", /node:path is only for/],
  ['packages/protocol/src/a.ts', 'export type X = Buffer;', /Buffer is only for/],
  [
    'packages/client/src/a.ts',
    "import { x } from './node/file.ts';",
    /packages\/client\/src\/node\/file\.ts is only for/,
  ],
  ['packages/client/src/a.ts', 'if (!navigator.onLine) wait();', /navigator is only for/],
  ['packages/cli/src/a.ts', "import { x } from '@cryolift/client/browser';", /@cryolift\/client\/browser is only for/],
  ['packages/client/src/browser/a.ts', "import { x } from '../node/index.ts';", /node\/index\.ts is only for/],
  ['packages/client/src/a.ts', `const a = \`//\${b ? \`'\` : c}\`; process?.exit();`, /process is only for/],
  ['packages/client/src/a.ts', "const a = /['`/]/.test(b); process.exit();", /process is only for/],
];

for (const [file, source, rule] of BROKEN) {
  test(`refused: ${file}: ${source.replaceAll('\n', ' ')}`, () =>
    assert.match(checkFile(file, source).join('\n'), rule));
}

const SOUND: readonly [file: string, source: string][] = [
  [
    'packages/server/src/http/a.ts',
    "import type { X } from '../storage/storage.ts';\nimport { y } from '../uploads/init.ts';",
  ],
  ['packages/server/src/uploads/a.ts', "import { x } from '../db/parts.ts';\nimport { y } from './init.ts';"],
  ['packages/server/src/version.ts', "import manifest from '../package.json' with { type: 'json' };"],
  ['packages/client/src/node/a.ts', "import { open } from 'node:fs/promises';\nimport { x } from '../upload.ts';"],
  ['packages/client/src/browser/a.ts', 'export const isOnline = () => navigator.onLine;'],
  ['packages/cli/src/a.ts', "import { Api } from '@cryolift/client';\nprocess.env['X'];"],
  ['packages/cli/bin/a.js', "await import('@cryolift/server/commands');"],
  ['packages/server/src/commands/a.ts', "import { x } from 'cryolift/output';\nimport { y } from '../main.ts';"],
  ['packages/server/src/config/a.ts', "import { x } from '@cryolift/client/folder-lock';"],
  [
    'packages/mrc/src/a.ts',
    `// import 'node:fs'\nconst a = "import 'node:fs'" + \`\${\`Buffer\`} process\`; a.process;\n/* process */`,
  ],
];

for (const [file, source] of SOUND) {
  test(`accepted: ${file}: ${source.replaceAll('\n', ' ')}`, () => assert.deepEqual(checkFile(file, source), []));
}

/** @returns what is wrong with the imports and names of a file, as `path:line: rule`. */
function checkFile(file: string, source: string): string[] {
  const { imports, mentions } = scanSource(source);
  const name = packageOf(file);
  if (!PACKAGES[name]) return [`${file}:1: ${name} is not in PACKAGES of suites/imports.test.ts`];
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
  if (!allowed) return `${from} is not in MODULES of suites/imports.test.ts`;
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
