/** Uploads that were begun before the page was loaded anew. */
import { type Api, RetryPolicy, ServerError } from '@cryolift/client';
import type { FileHandle, IndexedDbResumeStore, OpenUpload } from '@cryolift/client/browser';
import type { Session } from '@cryolift/protocol/messages';
import { arrivedInSession, type Upload } from './upload.ts';

/** Calls at a time. */
const PARALLEL = 2;
/** Sessions that can still be gone on with. */
const OPEN: readonly Session['status'][] = ['pending', 'uploading'];
const GONE = ['upload_not_found', 'upload_expired'];

interface Restoring<Row> {
  readonly api: Api;
  readonly resumeStore: IndexedDbResumeStore;
  readonly server: string;
  readonly owner: string;
  /** It is in the list already, or another tab goes on with it. */
  isTaken(key: string): Promise<boolean>;
  /** Null when it is in the list by now. */
  add(key: string, uploadId: string, handle: FileHandle | null): Row | null;
  /** Nothing changes once somebody goes on with it. */
  note(row: Row, change: Partial<Upload>): void;
  /** @returns false when somebody goes on with it, or it has left the list. */
  remove(row: Row): boolean;
}

/**
 * Shows what is remembered at once; the server's answers complete it, or take away what has ended. An answer that does not
 * come hides nothing: it is asked for again, and the row says why it waits.
 */
export async function restoreUploads<Row>(restoring: Restoring<Row>): Promise<void> {
  const { resumeStore, server, owner, isTaken, add } = restoring;
  const rows: (readonly [OpenUpload, Row])[] = [];
  for (const open of await resumeStore.all(server, owner)) {
    const { location: key, uploadId, handle } = open;
    if (await isTaken(key)) continue;
    const row = add(key, uploadId, handle);
    if (row) rows.push([open, row]);
  }
  const lane = async () => {
    for (let next = rows.shift(); next; next = rows.shift()) await askFor(...next, restoring);
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
}

async function askFor<Row>(
  { location: key, uploadId }: OpenUpload,
  row: Row,
  restoring: Restoring<Row>,
): Promise<void> {
  const { api, resumeStore, server, owner, note, remove } = restoring;
  const forget = async () => {
    if (remove(row)) await resumeStore.forget({ server, owner, location: key });
  };
  try {
    const ask = () => api.session(uploadId);
    const session = await new RetryPolicy().retry(ask, undefined, (error) => note(row, { error }));
    if (!OPEN.includes(session.status)) return await forget();
    note(row, {
      name: session.filename,
      path: session.metadata.path ?? null,
      check: { mrc: session.mrc, refusals: [], canForce: false, warnings: session.warnings },
      arrived: arrivedInSession(session),
      error: null,
    });
  } catch (error) {
    if (error instanceof ServerError && GONE.includes(error.code)) return await forget();
    note(row, { error });
  }
}
