/** Opens a PostgreSQL database. */
import { Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely';
import type { CryoliftAdapter } from '../dialect.ts';
import type { Tables } from '../tables.ts';
import { POSTGRES } from './dialect.ts';
import { Pool } from './pool.ts';

const MIN_VERSION = 140_000;

/** `openPostgres` takes a lock of its own, which works through PgBouncer, too. */
class Adapter extends PostgresAdapter implements CryoliftAdapter {
  readonly dialect = POSTGRES;

  override async acquireMigrationLock(): Promise<void> {}

  override async releaseMigrationLock(): Promise<void> {}
}

class CryoliftPostgres extends PostgresDialect {
  override createAdapter(): Adapter {
    return new Adapter();
  }
}

/**
 * @param onLost is called when a connection that nobody uses is lost. @param program as for `Pool`.
 * @returns a database that is not migrated yet. @throws Error when its settings would lose what was committed.
 */
export async function openPostgres(
  url: string,
  onLost: (error: Error) => void,
  program?: string,
): Promise<Kysely<Tables>> {
  const db = new Kysely<Tables>({ dialect: new CryoliftPostgres({ pool: new Pool(url, onLost, program) }) });
  try {
    await checkSettings(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

/** A commit that was answered must survive a crash and a power loss (invariant 1). */
async function checkSettings(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<Record<'version' | 'commit' | 'encoding', string>>`
    select current_setting('server_version_num') as version, current_setting('synchronous_commit') as commit,
      current_setting('server_encoding') as encoding`.execute(db);
  const [settings] = rows;
  if (!settings) throw new Error('PostgreSQL answered without its settings');
  if (Number(settings.version) < MIN_VERSION) throw new Error('PostgreSQL must be version 14 or newer');
  if (settings.commit === 'off') throw new Error('PostgreSQL must not run with synchronous_commit = off');
  if (settings.encoding !== 'UTF8')
    throw new Error(`the database must have the encoding UTF8, not ${settings.encoding}`);
}
