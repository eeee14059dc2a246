/** Uploads that were started before the page was reloaded. */
import { type Api, RetryPolicy, ServerError } from '@cryolift/client';
import type { FileHandle, IndexedDbResumeStore, OpenUpload } from '@cryolift/client/browser';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { receivedInUpload, type Upload } from './upload.ts';

/** Calls at a time. */
const PARALLEL = 2;
/** The states in which an upload can be continued. */
const OPEN: readonly UploadRecord['status'][] = ['pending', 'uploading'];
const GONE = ['upload_not_found', 'upload_expired'];

interface RestoreContext<Row> {
  readonly api: Api;
  readonly resumeStore: Pick<IndexedDbResumeStore, 'all' | 'forget'>;
  readonly server: string;
  readonly owner: string;
  /** The upload is in the list already, or another tab uploads it. */
  isTaken(key: string): Promise<boolean>;
  /** Null when the upload has been added to the list meanwhile. */
  add(key: string, uploadId: string, handle: FileHandle | null): Row | null;
  /** Has no effect once the upload continues. */
  update(row: Row, change: Partial<Upload>): void;
  /** @returns false when the upload continues, or has left the list. */
  remove(row: Row): boolean;
}

/**
 * Lists the uploads of the resume store at once, then adds the server's state to each of them, or removes it when it has
 * ended on the server. While the server does not answer, the row stays, shows the error, and the request is repeated.
 */
export async function restoreUploads<Row>(context: RestoreContext<Row>): Promise<void> {
  const { resumeStore, server, owner, isTaken, add } = context;
  const rows: (readonly [OpenUpload, Row])[] = [];
  for (const open of await resumeStore.all(server, owner)) {
    const { location: key, uploadId, handle } = open;
    if (await isTaken(key)) continue;
    const row = add(key, uploadId, handle);
    if (row) rows.push([open, row]);
  }
  const restoreNext = async () => {
    for (let next = rows.shift(); next; next = rows.shift()) await restoreOne(...next, context);
  };
  await Promise.all(Array.from({ length: PARALLEL }, restoreNext));
}

async function restoreOne<Row>(
  { location: key, uploadId }: OpenUpload,
  row: Row,
  context: RestoreContext<Row>,
): Promise<void> {
  const { api, resumeStore, server, owner, update, remove } = context;
  const forget = async () => {
    if (remove(row)) await resumeStore.forget({ server, owner, location: key });
  };
  try {
    const readUpload = () => api.upload(uploadId);
    const upload = await new RetryPolicy().retry(readUpload, undefined, (error) => update(row, { error }));
    if (!OPEN.includes(upload.status)) return await forget();
    update(row, {
      name: upload.filename,
      path: upload.metadata.path ?? null,
      dataset: upload.metadata.dataset ?? null,
      check: { mrc: upload.mrc, refusals: [], canForce: false, warnings: upload.warnings },
      received: receivedInUpload(upload),
      error: null,
    });
  } catch (error) {
    if (error instanceof ServerError && GONE.includes(error.code)) return await forget();
    update(row, { error });
  }
}
