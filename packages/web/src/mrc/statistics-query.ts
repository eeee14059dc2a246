import type { Api } from '@cryolift/client';
import type { FileRecord } from '@cryolift/protocol/messages';
import { slowQuery } from './slow-query.ts';

/** The query of the statistics of a file, which the server computes again when its metadata or its kind change. */
export function statisticsQuery(api: Api, { file_id: fileId, mrc, metadata }: FileRecord) {
  return {
    queryKey: ['statistics', fileId, metadata.mode0, mrc?.kind],
    queryFn: ({ signal }: { signal: AbortSignal }) => api.statistics(fileId, { signal }),
    ...slowQuery,
  };
}
