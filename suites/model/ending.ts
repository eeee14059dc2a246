/** The end of a run: every upload comes to its end, every file has its bytes, and nothing stays behind. */

import { OPEN_STATES } from '@cryolift/protocol/states';
import type { Call } from './operations.ts';
import { OWNERS } from './reference/model.ts';
import type { Session } from './session.ts';

/** @throws Error with a line for each fault. */
export async function endRun(session: Session): Promise<void> {
  await completeSome(session);
  await compareAll(session);
  await expireAll(session);
  await deleteFiles(session);
  await forgetAll(session);
  const left = await session.site.findLeftovers();
  if (left.length > 0) throw new Error(left.join('\n'));
}

/** Every second upload that is open gets its bytes; the others expire. */
async function completeSome(session: Session): Promise<void> {
  const { model } = session;
  for (const [nth, id] of model.ids.entries()) {
    const upload = model.uploads.get(id);
    if (nth % 2 === 1 || !upload || !OPEN_STATES.includes(upload.state)) continue;
    const same = { upload: nth, isStranger: false } as const;
    const missing = upload.parts.flatMap((sent, idx) => (sent === null ? [idx] : []));
    const rest: Call[] =
      upload.protocol === 'tus'
        ? [{ kind: 'append', ...same, at: 'right', length: 'rest', variant: 0, checksum: 'none' }]
        : missing.map((idx) => ({ kind: 'part', ...same, idx, variant: 0, digest: 'right', isShort: false }));
    for (const call of rest) await session.run([call], nth % session.site.servers);
    await session.run([{ kind: 'complete', ...same, digest: 'none' }], nth % session.site.servers);
  }
}

/** Lists, records, and the bytes of all files, at each server. */
async function compareAll(session: Session): Promise<void> {
  const { model, site } = session;
  for (let server = 0; server < site.servers; server++) {
    for (const owner of OWNERS) {
      await session.run([{ kind: 'list', owner, status: null }], server);
      await session.run([{ kind: 'files', owner }], server);
      await session.run([{ kind: 'limits', owner }], server);
    }
    for (const nth of model.ids.keys()) {
      const same = { upload: nth, isStranger: false } as const;
      await session.run([{ kind: 'show', ...same }], server);
      await session.run([{ kind: 'parts', ...same }], server);
      await session.run([{ kind: 'download', ...same }], server);
    }
  }
}

/** Until `isDone`. A clock that was ahead has stored times, which the first round corrects. */
async function passLives(session: Session, what: string, isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await session.pass(session.model.limits.ttlMs + 60_000);
    for (let server = 0; server < session.site.servers; server++) await session.run([{ kind: 'sweep' }], server);
    if (isDone()) return;
  }
  throw new Error(`${what}: ${JSON.stringify([...session.model.uploads.values()])}`);
}

async function expireAll(session: Session): Promise<void> {
  const { uploads } = session.model;
  const hasEnded = () => [...session.model.uploads.values()].every(({ state }) => ENDED.includes(state));
  await passLives(session, `of ${uploads.size} uploads some came to no end`, hasEnded);
}

const ENDED = ['completed', 'cancelled', 'expired'];

async function deleteFiles(session: Session): Promise<void> {
  if (session.model.limits.hasLateDigests) await awaitDigests(session);
  for (const nth of session.model.ids.keys()) {
    await session.run([{ kind: 'delete', upload: nth, isStranger: false }], nth % session.site.servers);
  }
}

/** The digests that a job computes are right, and come. */
async function awaitDigests(session: Session): Promise<void> {
  for (const owner of OWNERS) {
    await session.until('the digest of every file', async () => {
      const [done] = await session.run([{ kind: 'files', owner }], 0);
      const items = (done?.answer.body?.items ?? []) as { sha256: string | null }[];
      return items.every(({ sha256 }) => sha256 !== null);
    });
  }
}

/** Rows of uploads that have ended go after some time. */
async function forgetAll(session: Session): Promise<void> {
  await passLives(session, 'some uploads are not forgotten', () => session.model.uploads.size === 0);
}
