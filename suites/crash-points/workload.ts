/** What the server does when it is killed: a few small uploads with each of their ends, one after the other. */
import { Appended } from '../reliability/appended.ts';
import { sweep } from '../reliability/checks.ts';
import type { Entry, Ledger } from '../reliability/ledger.ts';
import {
  awaitJobs,
  cancelUpload,
  deleteFile,
  openUpload,
  publish,
  type Steps,
  sendPart,
} from '../reliability/upload-steps.ts';

/** Less than a part: all but the last of its bytes are pieces. */
const APPENDED_BYTES = 7000;
/** Above the number of pieces that are merged. */
const MANY = 66;

/** The uploads of one run, by what becomes of them. */
export interface Work {
  readonly owner: string;
  readonly published: Entry;
  readonly wrong: Entry;
  readonly cancelled: Entry;
  readonly deleted: Entry;
  readonly empty: Entry;
  readonly appended: Appended;
}

/** @param owner whom no other run has. */
export function planWork(ledger: Ledger, owner: string, partSizeBytes: number): Work {
  const open = (
    name: string,
    sizeBytes: number,
    declares: Entry['plan']['declares'],
    by: Entry['plan']['by'] = 'wire',
  ) => ledger.open({ owner, filename: `${owner}-${name}`, sizeBytes, partSizeBytes, declares, by });
  // The smallest part size of a bucket is 5 MiB: one upload of more than one part will do there.
  const isSmall = partSizeBytes < 1024 * 1024;
  const short = isSmall ? 2 * partSizeBytes + 100 : 3000;
  return {
    owner,
    published: open('published.mrc', (isSmall ? 2 : 1) * partSizeBytes + 1100, 'init'),
    wrong: open('wrong.dat', short, 'wrong'),
    cancelled: open('cancelled.dat', short, 'never'),
    deleted: open('deleted.mrc', short + 2000, 'never'),
    empty: open('empty.dat', 0, 'complete'),
    appended: new Appended(open('appended.dat', APPENDED_BYTES, 'never', 'tus')),
  };
}

/** @param hasManyPieces so many that the server merges them. */
export async function runWork(steps: Steps, work: Work, hasManyPieces = false): Promise<void> {
  await publish(steps, work.published);
  await publish(steps, work.wrong);
  await cancelUpload(steps, work.wrong);
  await openUpload(steps, work.cancelled);
  await sendPart(steps, work.cancelled, work.cancelled.makeBytes(), 0, 'with digest');
  await cancelUpload(steps, work.cancelled);
  await publish(steps, work.deleted);
  await publish(steps, work.empty);
  // In the trace, nothing else is between the steps of an append.
  await settle(steps, work);
  await work.appended.send(steps, Math.ceil(APPENDED_BYTES / (hasManyPieces ? MANY : 3)));
  await settle(steps, work);
  await deleteFile(steps, work.deleted);
  await sweep(steps);
}

/** Waits until the jobs of the files are done: their pictures and digests. */
export async function settle(steps: Steps, { published, deleted, empty, appended }: Work): Promise<void> {
  await awaitJobs(steps, [published, deleted, empty, appended.entry]);
}

export function entriesOf({ published, wrong, cancelled, deleted, empty, appended }: Work): Entry[] {
  return [published, wrong, cancelled, deleted, empty, appended.entry];
}
