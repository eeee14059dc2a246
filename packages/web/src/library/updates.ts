/** The newest states that events have told, in the query cache. */
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import type { QueryClient } from '@tanstack/react-query';

type RecordKind = 'file' | 'upload';

const updateKey = (kind: RecordKind, id: string) => ['updates', kind, id] as const;

/**
 * Records the newest state of an item, so that a list request that is still in flight cannot overwrite it.
 *
 * @param item null: it is deleted. No id is used twice.
 */
export function recordUpdate(
  queries: QueryClient,
  kind: RecordKind,
  id: string,
  item: FileRecord | UploadRecord | null,
): void {
  queries.setQueryData(updateKey(kind, id), item);
}

/** A deletion is newer than every other record of a file. */
export function wasDeleted(queries: QueryClient, fileId: string): boolean {
  return queries.getQueryData(updateKey('file', fileId)) === null;
}

/** The updates since a list request started, by id. */
export function updatesSince<Item>(
  queries: QueryClient,
  kind: RecordKind,
  startedMs: number,
): Map<string, Item | null> {
  const found = queries.getQueryCache().findAll({ queryKey: ['updates', kind] });
  const fresh = found.filter(({ state }) => state.dataUpdatedAt >= startedMs);
  return new Map(fresh.map(({ queryKey, state }) => [queryKey[2] as string, state.data as Item | null]));
}
