/** Which dataset an upload belongs to. */
import { DATASET_LIMITS } from '@cryolift/protocol/dataset-limits';
import type { Database } from '../database.ts';
import type { DatasetRow } from '../tables.ts';
import { sumStagedOf } from './members.ts';
import { countDatasets, findDataset, findDatasetNamed, insertDataset } from './rows.ts';

/** What an init says of the dataset. */
export interface RequestedDataset {
  /** Null: it is named. */
  readonly id: string | null;
  /** What is made when there is none of this name; null: an id is given. */
  readonly draft: DatasetRow | null;
}

export type DatasetRefusal =
  | { kind: 'dataset_not_found' }
  | { kind: 'dataset_closed'; name: string; state: string }
  | { kind: 'dataset_full'; name: string; usedBytes: number; quotaBytes: number }
  | { kind: 'too_many_datasets'; datasets: number };

/** The dataset that is asked for, or the draft of it. */
export async function resolveDataset(
  db: Database,
  owner: string,
  { id, draft }: RequestedDataset,
): Promise<DatasetRow | undefined> {
  if (id === null) return draft === null ? undefined : ((await findDatasetNamed(db, owner, draft.name)) ?? draft);
  const found = await findDataset(db, id);
  return found?.owner === owner ? found : undefined;
}

/** Whether a new upload may belong to it. For use in a transaction that has the lock of the owner. */
export async function refuseDataset(
  tx: Database,
  dataset: DatasetRow,
  isNew: boolean,
  newBytes: number,
): Promise<DatasetRefusal | null> {
  const { name, state, quota_bytes: quotaBytes } = dataset;
  if (isNew) {
    const datasets = await countDatasets(tx, dataset.owner);
    return datasets >= DATASET_LIMITS.perOwner ? { kind: 'too_many_datasets', datasets } : null;
  }
  if (state !== 'open') return { kind: 'dataset_closed', name, state };
  if (quotaBytes === null) return null;
  const usedBytes = dataset.bytes + (await sumStagedOf(tx, dataset.id));
  return usedBytes + newBytes > quotaBytes ? { kind: 'dataset_full', name, usedBytes, quotaBytes } : null;
}

/** Makes it. For use in a transaction that has the lock of the owner, so that there is none of this name. */
export async function makeDataset(tx: Database, draft: DatasetRow): Promise<void> {
  if (!(await insertDataset(tx, draft))) throw new Error('a dataset was made without the lock of its owner');
}
