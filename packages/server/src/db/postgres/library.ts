/** Searches of the library by the extension pg_trgm, or without an index where it is missing. */
import { sql } from 'kysely';
import type { LibraryDialect } from '../dialect.ts';
import { isCanceled } from './failure.ts';

/** The index has sequences of three characters. */
const INDEXED_LENGTH = 3;
/** Without the index, or with words that are all common, the database would read a million rows. */
const MAX_SEARCH_MS = 250;

export const LIBRARY: LibraryDialect = {
  async findCandidates(db, owner, words, limit) {
    const indexed = words.filter((word) => Array.from(word).length >= INDEXED_LENGTH);
    if (indexed.length === 0) return null;
    const text = sql.ref('text');
    const conditions = indexed.map((word) => LIBRARY.contains(text, word));
    try {
      return await db.transaction().execute(async (tx) => {
        await sql`set local statement_timeout = ${sql.lit(MAX_SEARCH_MS)}`.execute(tx);
        const { rows } = await sql<{ id: number }>`
          select id from library where owner = ${owner} and ${sql.join(conditions, sql` and `)} limit ${limit}`.execute(
          tx,
        );
        return rows.map(({ id }) => id);
      });
    } catch (error) {
      if (isCanceled(error)) return null;
      throw error;
    }
  },

  async isIndexed(db) {
    const { rows } = await sql`
      select 1 from pg_index where indexrelid = to_regclass('library_by_text') and indisvalid`.execute(db);
    return rows.length > 0;
  },

  contains: (column, word) => sql<boolean>`${column} like ${`%${word.replace(/[\\%_]/g, '\\$&')}%`}`,

  /** The database does so itself. */
  indexNew: async () => 0,
};
