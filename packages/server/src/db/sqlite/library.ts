/** Searches of the library by FTS5. */
import { sql } from 'kysely';
import { transact } from '../database.ts';
import type { LibraryDialect } from '../dialect.ts';

/** Enough to leave few rows, and few enough for any word. */
const MAX_TRIGRAMS = 24;
const TRIGRAM = 3;

interface Row {
  readonly id: number;
}

export const LIBRARY: LibraryDialect = {
  async findCandidates(db, _owner, words, limit) {
    const expression = printMatch(words);
    if (expression === null) return null;
    // Read to the end of `limit` at once: the index cannot be read in ranges of ids, each of which costs as much as all.
    const { rows } = await sql<Row>`
      select id from library_pending
      union all select rowid from library_text where library_text match ${expression}
      limit ${limit}`.execute(db);
    return rows.map(({ id }) => id);
  },

  isIndexed: async () => true,

  contains: (column, word) => sql<boolean>`instr(${column}, ${word}) > 0`,

  async indexNew(db, limit) {
    const first = sql`select id from library_pending order by id limit ${limit}`;
    const { rows } = await sql`${first}`.execute(db);
    if (rows.length === 0) return 0;
    return await transact(db, async (tx) => {
      await sql`
        insert into library_text (rowid, text) select id, text from library where id in (${first})`.execute(tx);
      const { numAffectedRows } = await sql`delete from library_pending where id in (${first})`.execute(tx);
      return Number(numAffectedRows ?? 0);
    });
  },
};

/**
 * The query of FTS5 for texts that have all sequences of three characters of these words. Each is a text between quotes,
 * so that nothing in it is an operator. Null: all words are shorter.
 */
function printMatch(words: readonly string[]): string | null {
  const trigrams = words.flatMap((word) => {
    const letters = Array.from(word);
    return letters.slice(TRIGRAM - 1).map((_, at) => letters.slice(at, at + TRIGRAM).join(''));
  });
  if (trigrams.length === 0) return null;
  const distinct = [...new Set(trigrams)];
  const each = Math.ceil(distinct.length / MAX_TRIGRAMS);
  const chosen = distinct.filter((_, at) => at % each === 0);
  return chosen.map((trigram) => `"${trigram.replaceAll('"', '""')}"`).join(' AND ');
}
