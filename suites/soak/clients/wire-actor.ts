/** Raw clients on the wire: parts in any order, damaged, broken off, sent twice; wrong digests, cancels, uploads left alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GivenUp } from '../../reliability/caller.ts';
import { finish, inspect } from '../../reliability/checks.ts';
import type { Entry, Plan } from '../../reliability/ledger.ts';
import { deleteFile, type Steps } from '../../reliability/upload-steps.ts';
import { drawPlan, runUpload } from '../../reliability/wire-client.ts';
import { type Actor, outcomesOf, repeat } from '../scene.ts';

const MEAN_PAUSE_MS = 6_000;
const MEAN_CALL_PAUSE_MS = 150;
/** Of uploads that are left alone, so many are never touched again: they have to expire. */
const FORGOTTEN_SHARE = 0.3;

export async function runWireActor(actor: Actor): Promise<void> {
  const { scene, owner, random } = actor;
  const slow: Steps = {
    ...scene.steps,
    async pass(call) {
      const ms = Math.round(random.whole(0, 2 * MEAN_CALL_PAUSE_MS) * scene.pace);
      if (!scene.over.aborted) await sleep(ms);
      return await scene.gate.pass(call);
    },
  };
  await repeat(actor, MEAN_PAUSE_MS, async (nth) => {
    const entry = scene.ledger.open(fit(drawPlan(random, owner, `${owner}-${nth}`), scene.partSizeBytes));
    scene.note(`wire ${entry.plan.filename} ${entry.plan.sizeBytes} bytes`);
    const outcomes = outcomesOf(actor);
    try {
      await runUpload(slow, random, entry, () => scene.url);
      if (entry.ended || !random.chance(FORGOTTEN_SHARE)) await bringToEnd(scene.steps, entry);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
    }
    entry.left = true;
    if (scene.ledger.hasFault(entry)) outcomes.wrong++;
    else if (entry.completed === 'answered') {
      outcomes.right++;
      outcomes.bytes += entry.plan.sizeBytes;
    } else outcomes.otherwise++;
  });
}

/** Completed or cancelled, compared, and deleted. */
async function bringToEnd(steps: Steps, entry: Entry): Promise<void> {
  await finish(steps, entry);
  if (entry.completed !== 'answered' || entry.deleted !== 'no') return;
  await deleteFile(steps, entry);
  await inspect(steps, entry);
}

/** The storage has a smallest part. */
function fit(plan: Plan, leastPartBytes: number): Plan {
  if (plan.partSizeBytes >= leastPartBytes) return plan;
  const factor = leastPartBytes / plan.partSizeBytes;
  return { ...plan, partSizeBytes: leastPartBytes, sizeBytes: Math.round(plan.sizeBytes * factor) };
}
