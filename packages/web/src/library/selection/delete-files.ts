/** The deletion of many files, and its result for each of them. */
import { type Api, deleteFiles } from '@cryolift/client';
import type { Selected } from './selection.ts';

export interface Deletion {
  readonly deleted: readonly Selected[];
  /** They were deleted before, by this user or another one. */
  readonly gone: readonly Selected[];
  /** Nothing is known of them: the server did not answer, or refused. */
  readonly left: readonly Selected[];
  /** Why some are left; null: none are. */
  readonly error: unknown;
}

/** Never throws. @param onAnswer is called with the ids that are not there any more, and how many are done. */
export async function deleteSelected(
  api: Api,
  files: readonly Selected[],
  onAnswer: (gone: readonly string[], done: number) => void,
): Promise<Deletion> {
  const outcomes = new Map<string, string>();
  let error: unknown = null;
  try {
    const ids = files.map(({ id }) => id);
    for await (const { items } of deleteFiles(api, ids)) {
      for (const { file_id, outcome } of items) outcomes.set(file_id, outcome);
      onAnswer(
        items.map(({ file_id }) => file_id),
        outcomes.size,
      );
    }
  } catch (thrown) {
    error = thrown;
  }
  const having = (outcome: string | undefined) => files.filter(({ id }) => outcomes.get(id) === outcome);
  return { deleted: having('deleted'), gone: having('not_found'), left: having(undefined), error };
}
