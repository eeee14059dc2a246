/** Every import follows the rules of `suites/imports/rules.ts`. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { checkFile } from './imports/check.ts';
import { findHandles, findReexports, findRows } from './imports/rows.ts';

/** Exempt: tests and what only they stand on. */
const TEST_CODE = /(\.test\.tsx?|\/test-[^/]+\.ts)$/;

/** A folder or file with such a name has no idea of its own. */
const EMPTY_NAMES = /^(utils?|helpers?|common|internal)$/;

const ROOT = join(import.meta.dirname, '..');

test('imports: every import follows an allowed arrow', () => {
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

test('imports: no folder or file is named after nothing', () => {
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
