/** Searches of the library by FTS5. */
import { sql } from 'kysely';
import { takeTurns } from '../../yielding.ts';
import { transact } from '../database.ts';
import type { LibraryDialect } from '../dialect.ts';

/** Enough to leave few rows, and few enough for any word. */
const MAX_TRIGRAMS = 24;
const TRIGRAM = 3;
/** When one leaves so few rows, no other one is counted. */
const ENOUGH = 1_000;

interface Row {
  readonly id: number;
}

export const LIBRARY: LibraryDialect = {
  /** Each sequence is counted first, up to the limit: to read those that most rows have would take a second. */
  async findCandidates(db, _owner, words, limit) {
    const endTurn = takeTurns();
    const rare: string[] = [];
    for (const trigram of listTrigrams(words)) {
      const { rows } = await sql<{ count: number }>`
        select count(*) as count
        from (select 1 from library_text where library_text match ${trigram} limit ${limit})`.execute(db);
      const count = rows[0]?.count ?? 0;
      if (count < limit) rare.push(trigram);
      if (count < ENOUGH) break;
      await endTurn();
    }
    if (rare.length === 0) return null;
    // Read to the end of `limit` at once: the index cannot be read in ranges of ids, each of which costs as much as all.
    const { rows } = await sql<Row>`
      select id from library_pending
      union all select rowid from library_text where library_text match ${rare.join(' AND ')}
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
 * Sequences of three characters of these words, as texts of queries of FTS5: between quotes, so that nothing in them is an
 * operator. None: all words are shorter.
 */
function listTrigrams(words: readonly string[]): string[] {
  const trigrams = words.flatMap((word) => {
    const letters = Array.from(word);
    return letters.slice(TRIGRAM - 1).map((_, at) => letters.slice(at, at + TRIGRAM).join(''));
  });
  const distinct = [...new Set(trigrams)];
  const each = Math.ceil(distinct.length / MAX_TRIGRAMS);
  return distinct.filter((_, at) => at % each === 0).map((trigram) => `"${trigram.replaceAll('"', '""')}"`);
}
