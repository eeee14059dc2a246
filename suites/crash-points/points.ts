/** The moments at which the server is killed: read from its sources, so that a new durable step is one of them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../packages/server/src', import.meta.url));

export interface Point {
  readonly name: string;
  readonly when: 'before' | 'after' | 'between';
}

/** Of what reaches a step. */
export type Where = 'disk' | 'shared' | 'bucket' | 'start' | 'backup' | 'recovery';

/** By the first word of a name. */
const MODULES: Readonly<Record<string, readonly Where[]>> = {
  append: ['disk', 'shared', 'bucket'],
  audit: ['disk'],
  backup: ['backup'],
  disk: ['disk', 'shared'],
  event: ['disk', 'shared'],
  file: ['disk', 'bucket'],
  job: ['disk', 'bucket'],
  mark: ['start'],
  part: ['disk', 'shared', 'bucket'],
  place: ['start'],
  postgres: ['shared'],
  reserve: ['start'],
  s3: ['bucket'],
  secret: ['start'],
  sqlite: ['disk'],
  upload: ['disk', 'shared', 'bucket'],
  webhook: ['disk', 'shared'],
};

/** Steps that are not where their module is. */
const STEPS: Readonly<Record<string, readonly Where[]>> = {
  'audit.make-folder': ['start'],
  'disk.flush': ['disk'],
  'disk.make-folder': ['disk'],
  'disk.remove-folder': ['recovery'],
  'disk.write-whole': ['disk'],
  'file.digested': ['bucket'],
  'file.sync': ['start'],
};

/** Steps that no campaign reaches, and why. */
export const UNREACHED: Readonly<Record<string, string>> = {
  'audit.end-line': 'after a line that was torn: packages/server/src/ops/audit.test.ts',
  'audit.remove': 'after gigabytes of audit: packages/server/src/ops/audit.test.ts',
  'backup.free-name': 'after a backup that has failed: packages/server/src/backup.test.ts',
  'backup.remove-folder': 'after a backup that has failed: packages/server/src/backup.test.ts',
  'compression.planned': 'suites/crash-points/compression.test.ts',
  'compression.recorded': 'suites/crash-points/compression.test.ts',
  'compression.stored': 'suites/crash-points/compression.test.ts',
  'copy.opened': 'suites/crash-points/copies.test.ts',
  'copy.published': 'suites/crash-points/copies.test.ts',
  'dataset.deleted': 'suites/crash-points/datasets.test.ts',
  'dataset.emptied': 'suites/crash-points/datasets.test.ts',
  'dataset.expired': 'suites/crash-points/datasets.test.ts',
  'dataset.moved': 'suites/crash-points/datasets.test.ts',
  'dataset.warned': 'suites/crash-points/datasets.test.ts',
  'disk.link': 'suites/crash-points/copies.test.ts',
  'push.begun': 'suites/pushes/killed.test.ts',
  'push.file-noted': 'suites/pushes/killed.test.ts',
  'push.file-sent': 'suites/pushes/killed.test.ts',
  'push.part-sent': 'suites/pushes/s3.test.ts',
  'push.receipt-sent': 'suites/pushes/killed.test.ts',
  'push.requested': 'suites/pushes/killed.test.ts',
  'receipt.signed': 'suites/crash-points/datasets.test.ts',
  'reserve.remove': 'on a full disk: suites/disks/full-disk.test.ts',
  'reserve.sync-folder': 'on a full disk: suites/disks/full-disk.test.ts',
  's3.copy': 'suites/crash-points/copies.test.ts',
  's3.copy-part': 'of more than 5 GiB: packages/server/src/storage/s3/object-copy.test.ts',
};

/** Without tests and what only they stand on. */
export function listServerSources(): { path: string; text: string }[] {
  return globSync('**/*.ts', { cwd: SOURCES })
    .filter((path) => !/(\.test\.ts$|(^|\/)test-[^/]+\.ts$)/.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(SOURCES, path), 'utf8') }));
}

/** All moments that the sources announce. */
export function readPoints(): Point[] {
  const points = new Map<string, Point>();
  for (const { text } of listServerSources()) {
    for (const [, call, name = ''] of text.matchAll(/\b(durableStep|betweenSteps)\(\s*'([^']*)'/g)) {
      const moments = call === 'durableStep' ? (['before', 'after'] as const) : (['between'] as const);
      for (const when of moments) points.set(`${name} ${when}`, { name, when });
    }
  }
  return [...points.values()].sort((a, b) => (printPoint(a) < printPoint(b) ? -1 : 1));
}

/** @returns undefined: nobody has said so. */
export function whereIs({ name }: Point): readonly Where[] | undefined {
  if (name in UNREACHED) return [];
  return STEPS[name] ?? MODULES[name.split('.', 1)[0] as string];
}

export function pointsOf(where: Where): Point[] {
  return readPoints().filter((point) => whereIs(point)?.includes(where));
}

export function printPoint({ name, when }: Point): string {
  return when === 'between' ? `at ${name}` : `${when} ${name}`;
}
