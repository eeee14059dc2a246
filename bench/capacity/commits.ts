/** Commits of parts, as fast as a database takes them. */
import type { Database } from '../../packages/server/src/db/database.ts';
import { draftPart, insertRow } from '../../packages/server/src/db/test-rows.ts';
import { commitPart } from '../../packages/server/src/db/uploads/parts.ts';

export interface Load {
  readonly uploads: number;
  /** Each commits one part after the other, to the next of the uploads. */
  readonly workers: number;
  readonly seconds: number;
}

export async function commitParts(db: Database, { uploads, workers, seconds }: Load) {
  const rows = await Promise.all(Array.from({ length: uploads }, () => insertRow(db, { part_count: 1_000_000 })));
  const beganMs = performance.now();
  const endMs = beganMs + seconds * 1000;
  let commits = 0;
  const work = async () => {
    while (performance.now() < endMs) {
      const nth = commits++;
      const outcome = await commitPart(db, (rows[nth % rows.length] as { id: string }).id, draftPart(nth));
      if (outcome.kind !== 'stored') throw new Error(`a part was ${outcome.kind}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return { commits, seconds: (performance.now() - beganMs) / 1000 };
}
