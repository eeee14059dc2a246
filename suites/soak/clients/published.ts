/** What a client says is done is found, compared byte for byte, and deleted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FilePage, FileRecord } from '@cryolift/protocol/messages';
import { GivenUp } from '../../reliability/caller.ts';
import type { Entry } from '../../reliability/ledger.ts';
import { deleteFile, insist, readBack } from '../../reliability/upload-steps.ts';
import { type Actor, outcomesOf, type Scene } from '../scene.ts';

/** A job computes digests that were not declared. */
const DIGEST_MS = 120_000;

/**
 * @param copies `one`: it was published once; `any`: a request whose answer was lost may have published it, too.
 */
export async function checkPublished(actor: Actor, entry: Entry, copies: 'one' | 'any'): Promise<void> {
  const { scene } = actor;
  const outcomes = outcomesOf(actor);
  try {
    const files = await awaitFiles(scene, entry);
    if (files.length === 0) scene.ledger.noteFault(entry, 'its client says that it is done, and there is no file');
    if (files.length > 1 && copies === 'one') scene.ledger.noteFault(entry, `it was published ${files.length} times`);
    for (const record of files) await checkAndDelete(scene, entry, record);
  } catch (error) {
    // The ledger has the fault.
    if (!(error instanceof GivenUp)) throw error;
  }
  entry.left = true;
  if (scene.ledger.hasFault(entry)) outcomes.wrong++;
  else {
    outcomes.right++;
    outcomes.bytes += entry.plan.sizeBytes;
  }
}

async function checkAndDelete({ ledger, steps }: Scene, entry: Entry, record: FileRecord): Promise<void> {
  const { file_id, sha256, size } = record;
  if (sha256 !== entry.sha256 || size !== entry.plan.sizeBytes) {
    ledger.noteFault(entry, `the record of ${file_id} has ${size} bytes of SHA-256 ${sha256}`);
  }
  // Of several, the ledger has the last one.
  entry.fileId = null;
  entry.completed = 'asked';
  entry.deleted = 'no';
  ledger.noteCompleted(entry, file_id);
  await readBack(steps, entry);
  await deleteFile(steps, entry);
}

async function awaitFiles(scene: Scene, entry: Entry): Promise<FileRecord[]> {
  for (const deadlineMs = performance.now() + DIGEST_MS; ; await sleep(200)) {
    const answer = await insist(scene.steps, entry, { method: 'GET', path: '/files?limit=200', expected: ['200'] });
    const { items } = answer.json<FilePage>();
    const files = (items as FileRecord[]).filter(({ filename }) => filename === entry.plan.filename);
    const isReady = files.length > 0 && files.every(({ sha256 }) => sha256 !== null);
    if (isReady || performance.now() > deadlineMs) return files;
  }
}

/** A new entry of this actor, and its bytes. */
export function openEntry(actor: Actor, nth: number, sizeBytes: number, by: 'command' | 'tus') {
  const { scene, owner, kind, random } = actor;
  const isMrc = sizeBytes > 2048 && random.chance(0.3);
  const entry = scene.ledger.open({
    owner,
    filename: `${owner}-${nth}.${isMrc ? 'mrc' : 'dat'}`,
    sizeBytes,
    partSizeBytes: scene.partSizeBytes,
    declares: 'never',
    by,
  });
  scene.note(`${kind} ${entry.plan.filename} ${sizeBytes} bytes`);
  return { entry, bytes: entry.makeBytes() };
}
