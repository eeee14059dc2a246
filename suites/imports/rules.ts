/** The rules of imports: which package, module and file may import or mention what. */

type Arrows = Readonly<Record<string, readonly string[]>>;

export interface Reservation {
  readonly what: readonly string[];
  readonly within: string;
  readonly only: readonly string[];
}

/**
 * Package, or a folder in it with arrows of its own → the packages that it may import, or one export of a package. No
 * relative import leaves its package.
 */
export const PACKAGES: Arrows = {
  protocol: [],
  mrc: [],
  client: ['protocol', 'mrc'],
  server: ['protocol', 'mrc', 'client/folder-lock'],
  'server/src/commands': ['client', 'protocol', 'mrc', 'cli'],
  'server/src/destinations': ['client', 'protocol', 'mrc'], // another Cryolift is called by the SDK
  cli: ['client', 'protocol', 'mrc'],
  'cli/bin': ['server/commands'], // the entry point adds the commands of the server where it is installed
  web: ['client', 'protocol', 'mrc'],
};

/** What a server is made of. */
const COMPOSED = [
  ...['http', 'uploads', 'datasets', 'receipts', 'pushes', 'destinations', 'files', 'analysis', 'events', 'storage'],
  ...['jobs', 'leases', 'db', 'ops', 'config', 'top'],
];

/** Module of packages/server/src → the modules it may import; `import type x`: only its types. */
export const MODULES: Arrows = {
  'main.ts': ['server.ts', 'http', 'ops', 'config', 'top'],
  'server.ts': ['startup', ...COMPOSED],
  'backup.ts': ['db', 'config', 'top'],
  commands: ['main.ts', 'backup.ts', 'relocation', 'config', 'top'],
  relocation: ['backup.ts', 'startup', 'uploads', 'files', 'events', 'storage', 'db', 'config', 'top'],
  startup: COMPOSED,
  config: ['db', 'top'],
  http: [
    ...['uploads', 'datasets', 'receipts', 'pushes', 'files', 'analysis', 'events', 'import type storage'],
    ...['ops', 'config', 'top'],
  ],
  jobs: ['uploads', 'datasets', 'receipts', 'pushes', 'files', 'analysis', 'storage', 'leases', 'db', 'top'],
  uploads: ['storage', 'analysis', 'datasets', 'files', 'leases', 'db', 'events', 'top'],
  pushes: ['destinations', 'receipts', 'datasets', 'files', 'db', 'events', 'top'],
  destinations: ['storage', 'import type config', 'top'],
  receipts: ['datasets', 'files', 'db', 'events', 'top'],
  datasets: ['files', 'db', 'events', 'top'],
  files: ['storage', 'analysis', 'leases', 'db', 'events', 'top'],
  analysis: ['storage', 'files', 'db', 'events', 'top'],
  leases: ['db', 'top'],
  events: ['db', 'top'],
  storage: ['top'],
  db: ['top'],
  ops: ['top'],
  top: [], // small leaves: single-flight.ts, timeout.ts, flush.ts, version.ts
};

/** `what` (a module with all below it, a file or folder of ours, a global) is used inside `within` at `only` and nowhere else. */
export const RESERVED: readonly Reservation[] = [
  { what: ['kysely', 'pg'], within: 'packages/', only: ['packages/server/src/db/'] },
  { what: ['@aws-sdk'], within: 'packages/', only: ['packages/server/src/storage/s3/'] },
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
      'packages/server/src/http/routes/install.ts', // the folder of the one-file programs
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
    only: [
      'file-system.ts',
      'file-source.ts',
      'flusher.ts',
      'boot-id.ts',
      'threads/write-worker.ts',
      'threads/digest-worker.ts',
    ].map((file) => `packages/server/src/storage/disk/${file}`),
  },
  // What runs in a browser.
  ...['packages/protocol/', 'packages/mrc/', 'packages/client/', 'packages/web/src/'].map((within) => ({
    what: ['node:*', 'process', 'Buffer', '@cryolift/client/node', 'packages/client/src/node/'],
    within,
    only: ['packages/client/src/node/'],
  })),
  // Browser APIs, whose types are visible everywhere.
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
