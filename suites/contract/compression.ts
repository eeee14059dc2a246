/** Movies on a server that compresses them. */
import type { FileRecord, JobList } from '@cryolift/protocol/messages';
import { sha256Hex } from './sample.ts';
import { eventually, publish } from './upload.ts';
import type { Call } from './wire.ts';

/** Setting of such a server. */
export const AFTER_ONE_SECOND = { CRYOLIFT_COMPRESS_AFTER: '1s' };

/** Uploads a movie and waits until it is stored compressed, and nothing else of it. */
export async function publishCompressed(call: Call, admin: Call, bytes: Buffer): Promise<FileRecord> {
  const { file_id } = await publish(call, bytes, { sha256: sha256Hex(bytes) });
  return await untilCompressed(call, admin, file_id);
}

/** Waits until the record says it and the job has removed the original. */
export async function untilCompressed(call: Call, admin: Call, fileId: string): Promise<FileRecord> {
  const { file } = await eventually(
    async () => {
      await admin('POST', '/admin/sweep').catch(() => {});
      const { items } = (await call('GET', `/files/${fileId}/jobs`)).json<JobList>();
      const isDone = items.every(({ kind, status }) => kind !== 'compress' || status === 'done');
      return { file: (await call('GET', `/files/${fileId}`)).json<FileRecord>(), isDone };
    },
    ({ file: { compressed }, isDone }) => compressed !== undefined && isDone,
  );
  return file;
}
