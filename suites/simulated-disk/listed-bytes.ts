/** After a restart of the system, the server says of no part that it has it before it has read the part. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredPartPage, UploadRecord } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { Work } from '../crash-points/workload.ts';
import type { Entry } from '../reliability/ledger.ts';
import { insist, type Steps } from '../reliability/upload-steps.ts';

/** Compares the parts that open uploads are said to have with what is on the disk. @param folder that has `staging/`. */
export async function checkListed(steps: Steps, works: readonly Work[], folder: string): Promise<void> {
  for (const { published, wrong, cancelled, deleted, appended } of works) {
    for (const entry of [published, wrong, cancelled, deleted]) await checkParts(steps, entry, folder);
    const { entry } = appended;
    if (!(await findOpen(steps, entry))) continue;
    const offset = await appended.askOffset(steps);
    await compare(steps, entry, folder, 0, offset, `its offset is ${offset}`);
  }
}

async function checkParts(steps: Steps, entry: Entry, folder: string): Promise<void> {
  const upload = await findOpen(steps, entry);
  if (!upload) return;
  const path = `/uploads/${upload.upload_id}/parts?limit=1000`;
  const { items } = (await insist(steps, entry, { method: 'GET', path, expected: ['200'] })).json<StoredPartPage>();
  for (const { part } of items) {
    const { offset, length } = partExtent(entry.plan.sizeBytes, upload.part_size, part);
    await compare(steps, entry, folder, offset, length, `part ${part} is listed`);
  }
}

async function compare(
  steps: Steps,
  entry: Entry,
  folder: string,
  offset: number,
  length: number,
  said: string,
): Promise<void> {
  const bytes = entry.makeBytes().subarray(offset, offset + length);
  const path = join(folder, 'staging', entry.upload?.upload_id ?? '');
  const stored = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  if (stored.subarray(offset, offset + length).equals(bytes)) return;
  // A whole upload of tus is completed in the meantime, and its file has moved.
  if (await findOpen(steps, entry)) steps.ledger.noteFault(entry, `${said}, and its bytes are not on the disk`);
}

/** @returns null: it has no parts, or has come to its end. */
async function findOpen(steps: Steps, entry: Entry): Promise<UploadRecord | null> {
  if (!entry.upload) return null;
  const request = { method: 'GET', path: `/uploads/${entry.upload.upload_id}`, expected: ['200'] } as const;
  const upload = (await insist(steps, entry, request)).json<UploadRecord>();
  return OPEN_STATES.includes(upload.status) ? upload : null;
}
