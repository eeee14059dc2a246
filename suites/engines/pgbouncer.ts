/**
 * PgBouncer in transaction mode: each transaction may have another connection of PostgreSQL. What is missing is installed by
 * apt-get; `npm test` runs this file as a program first, because tests have less time.
 */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awaitProgram, bringProgram, canInstall, findPort, listens, type Program, startProgram } from '../program.ts';

const PGBOUNCER: Program = { name: 'pgbouncer', packages: ['pgbouncer'], versionArgs: ['--version'] };
const START_MS = 60_000;
/** It refuses to run as root. */
const USER = 'nobody';

export interface Pooler {
  /** Of the same database, through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @returns why its tests are skipped; false: it is there. */
export function missingPooler(): string | false {
  return bringProgram(PGBOUNCER, 'the tests through PgBouncer') ?? false;
}

/** @param url of the database, whose user needs no password. @param port to listen on; by default a free one. */
export async function startPooler(url: string, port?: number): Promise<Pooler> {
  const { hostname, port: serverPort, username } = new URL(url);
  const listenPort = port ?? (await findPort());
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-pgbouncer-'));
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${serverPort} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
`,
  );
  chmodSync(folder, 0o755);
  chmodSync(file, 0o644);
  const asUser = process.getuid?.() === 0 ? ['-u', USER] : [];
  const child = startProgram('pgbouncer', [...asUser, file], {});
  await awaitProgram(child, 'PgBouncer', () => listens(listenPort), START_MS);
  return {
    url: Object.assign(new URL(url), { port: String(listenPort) }).href,
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'close');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

if (import.meta.main) {
  const missing = missingPooler();
  if (missing) {
    console.log(`tests through PgBouncer are skipped: ${missing}`);
    if (canInstall()) process.exitCode = 1;
  }
}
