/** Events of published files. */
import type { FileRow } from '../db/tables.ts';
import { fileSubject } from '../events/event.ts';
import { toFileRecord } from './record.ts';

/**
 * @param row after the change. @param time milliseconds since 1970.
 * @param more fields of the event beside those of the record.
 */
export function fileEvent(type: string, row: FileRow, time: number, more: object = {}) {
  const { id, owner, upload_id } = row;
  const data = { ...toFileRecord(row, null), ...more };
  return { type, subject: fileSubject(id), owner, uploadId: upload_id, time, data };
}
