/** The dataset that an init asks for. */
import type { InitRequest } from '@cryolift/protocol/messages';
import { draftDataset } from '../datasets/draft.ts';
import type { Database } from '../db/database.ts';
import { type RequestedDataset, resolveDataset } from '../db/datasets/opening.ts';
import type { UploadContext } from './context.ts';

/** The dataset of an upload: by its id, or by the name in its metadata. @throws UploadError `invalid_request`. */
export function requestDataset(
  context: Pick<UploadContext, 'newId' | 'now'>,
  owner: string,
  { dataset_id: id, metadata = {}, instrument, trial = false }: InitRequest,
): RequestedDataset | null {
  if (trial) return null;
  if (id !== undefined) return { id, draft: null };
  const { dataset: name } = metadata;
  if (!name) return null;
  const from = metadata.instrument || instrument;
  const asked = { name, ...(from ? { instrument: from } : {}) };
  return { id: null, draft: draftDataset(context.newId(), owner, asked, context.now()) };
}

/** Null: there is none yet, or it is not the owner's. */
export async function findDatasetId(db: Database, owner: string, asked: RequestedDataset): Promise<string | null> {
  const found = await resolveDataset(db, owner, asked);
  return found && found !== asked.draft ? found.id : null;
}
