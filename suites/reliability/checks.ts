/** Compares what the server says with the ledger, after each fault; and brings every upload to its end. */

import type {
  FilePage,
  FileRecord,
  StoredPartPage,
  Swept,
  UploadPage,
  UploadRecord,
} from '@cryolift/protocol/messages';
import { eachPart, partExtent } from '@cryolift/protocol/plan';
import type { UploadState } from '@cryolift/protocol/states';
import { OPEN_STATES } from '@cryolift/protocol/states';
import { sha256Hex } from '../contract/sample.ts';
import { GivenUp } from './caller.ts';
import type { Entry } from './ledger.ts';
import { cancelUpload, completeUpload, deleteFile, insist, readBack, type Steps } from './upload-steps.ts';

/** What an upload may be according to what was asked and answered. */
function allowedStates({ completed, cancelled, failed, plan }: Entry): UploadState[] {
  if (cancelled === 'answered') return ['cancelled'];
  if (completed === 'answered') return ['completed'];
  const perhapsCancelled: UploadState[] = cancelled === 'asked' ? ['cancelled'] : [];
  if (failed) return ['failed', ...perhapsCancelled];
  const perhapsEnded: UploadState[] = ['verifying', plan.declares === 'wrong' ? 'failed' : 'completed'];
  return ['pending', 'uploading', ...(completed === 'asked' ? perhapsEnded : []), ...perhapsCancelled];
}

/** Checks one upload and its file without changes. */
export async function inspect(steps: Steps, entry: Entry): Promise<void> {
  const { upload } = entry;
  if (upload) await untilFault(() => inspectUpload(steps, entry, upload.upload_id));
  if (entry.fileId) await untilFault(() => inspectFile(steps, entry, entry.fileId as string));
  entry.touched = false;
}

/** What follows a fault, which the ledger has, can wait. */
export async function untilFault(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  }
}

async function inspectUpload(steps: Steps, entry: Entry, uploadId: string): Promise<void> {
  const answer = await insist(steps, entry, { method: 'GET', path: `/uploads/${uploadId}`, expected: ['200'] });
  const upload = answer.json<UploadRecord>();
  const allowed = allowedStates(entry);
  if (!allowed.includes(upload.status)) {
    const failure = JSON.stringify(upload.failure);
    steps.ledger.noteFault(entry, `it is ${upload.status} and should be ${allowed.join(' or ')}; failure ${failure}`);
  }
  if (upload.status === 'completed' && upload.file_id && entry.fileId === null) {
    steps.ledger.noteCompleted(entry, upload.file_id);
  }
  if (!OPEN_STATES.includes(upload.status)) return;
  const missing = [...eachPart(upload.missing_parts as [number, number][])];
  steps.ledger.noteMissing(entry, missing, steps.weather.losses);
  await inspectParts(steps, entry, upload);
}

/** The rows of the parts: all that were acknowledged, and none with other bytes. */
async function inspectParts(steps: Steps, entry: Entry, { upload_id, part_size }: UploadRecord): Promise<void> {
  const path = `/uploads/${upload_id}/parts?limit=1000`;
  const answer = await insist(steps, entry, { method: 'GET', path, expected: ['200'] });
  const { items } = answer.json<StoredPartPage>();
  const bytes = entry.makeBytes();
  for (const { part, sha256 } of items) {
    const { offset, length } = partExtent(bytes.length, part_size, part);
    if (sha256 !== sha256Hex(bytes.subarray(offset, offset + length))) {
      steps.ledger.noteFault(entry, `part ${part} is recorded with SHA-256 ${sha256}`);
    }
  }
  const stored = new Set(items.map(({ part }) => part));
  const lost = [...entry.acknowledged].filter((idx) => !stored.has(idx));
  steps.ledger.noteMissing(entry, lost, steps.weather.losses);
}

async function inspectFile(steps: Steps, entry: Entry, fileId: string): Promise<void> {
  const expected = { no: ['200'], asked: ['200', '404 file_not_found'], answered: ['404 file_not_found'] };
  const request = { method: 'GET', path: `/files/${fileId}`, expected: expected[entry.deleted] } as const;
  const answer = await insist(steps, entry, request);
  if (answer.status === 404) {
    if (entry.deleted === 'asked') steps.ledger.noteDeleted(entry);
    const path = `/files/${fileId}/content`;
    await insist(steps, entry, { method: 'GET', path, expected: ['404 file_not_found'] });
    return;
  }
  const { sha256, size } = answer.json<FileRecord>();
  if (!isRight(steps, entry, sha256) || size !== entry.plan.sizeBytes) {
    steps.ledger.noteFault(entry, `the record of ${fileId} has ${size} bytes of SHA-256 ${sha256}`);
  }
  // A deletion that is asked for and not done can be done by the next sweep.
  if (entry.deleted === 'no') await readBack(steps, entry);
}

function isRight({ weather }: Steps, { sha256, plan }: Entry, found: string | null): boolean {
  return found === sha256 || (found === null && plan.declares === 'never' && weather.lateDigests === true);
}

/** Finishes an upload from any state: none may be stuck. */
export async function finish(steps: Steps, entry: Entry): Promise<void> {
  if (entry.cancelled === 'asked') await untilFault(() => cancelUpload(steps, entry));
  else if (!entry.ended && entry.plan.by === 'wire') {
    await untilFault(() => completeUpload(steps, entry, entry.makeBytes()));
  }
  if (entry.deleted === 'asked') await untilFault(() => deleteFile(steps, entry));
  await inspect(steps, entry);
}

/** What the lists of an owner have must be in the ledger, and the other way round. */
export async function compareLists(steps: Steps, owner: string): Promise<void> {
  const { ledger } = steps;
  const entries = new Map(ledger.entries.filter(({ plan }) => plan.owner === owner).map((e) => [e.plan.filename, e]));
  const uploads = await list<UploadPage['items'][number]>(steps, owner, '/uploads');
  for (const { filename, upload_id, status } of uploads) {
    const entry = entries.get(filename);
    if (!entry) ledger.noteFault(null, `${owner} has an upload ${upload_id} of ${filename}, which was never started`);
    else if (entry.upload && entry.upload.upload_id !== upload_id) {
      ledger.noteFault(entry, `there is a second upload of it, ${upload_id}, ${status}`);
    }
  }
  const files = await list<FileRecord>(steps, owner, '/files');
  const names = files.map(({ filename }) => filename);
  for (const { filename, file_id, sha256 } of files) {
    const entry = entries.get(filename);
    if (!entry) ledger.noteFault(null, `${owner} has a file ${file_id} named ${filename}, which was never started`);
    else if (!isRight(steps, entry, sha256)) ledger.noteFault(entry, `the list says SHA-256 ${sha256}`);
    else if (entry.deleted === 'answered') ledger.noteFault(entry, 'it was deleted and is in the list of files');
  }
  for (const [filename, entry] of entries) {
    const wanted = entry.completed === 'answered' && entry.deleted === 'no' ? 1 : 0;
    const found = names.filter((name) => name === filename).length;
    if (found > 1 || found < wanted) ledger.noteFault(entry, `the list of files has it ${found} times`);
  }
}

async function list<Item>(steps: Steps, owner: string, path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `${path}?limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const request = { method: 'GET', path: query, expected: ['200'] } as const;
    const answer = await steps.caller.insist(owner, null, request, steps.patienceMs, steps.pass);
    const page = answer.json<FilePage>();
    items.push(...(page.items as Item[]));
    cursor = page.next_cursor;
  }
  return items;
}

/** A round of housekeeping in which no step may fail. A request that is answered before the end joins the next time. */
export async function sweep(steps: Steps): Promise<void> {
  const request = { method: 'POST', path: '/admin/sweep', expected: ['200', '202'] } as const;
  const ask = async () => await steps.caller.insist('admin', null, request, steps.patienceMs, steps.pass);
  let answer = await ask();
  while (answer.status === 202) answer = await ask();
  const swept = answer.json<Swept>();
  if (Object.values(swept).includes(null)) steps.ledger.noteFault(null, `a sweep failed: ${JSON.stringify(swept)}`);
}
