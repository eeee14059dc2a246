/** One plan: some calls in order, then some at once, whose steps the scheduler orders; then everything is compared. */
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { Scheduler } from 'fast-check';
import { sweep } from '../../../packages/server/src/jobs/sweep.ts';
import type { FilePlace } from '../../../packages/server/src/storage/places.ts';
import type { Call } from '../operations.ts';
import { type Done, explain } from '../reference/explain.ts';
import type { Limits, Model, ModelFile } from '../reference/model.ts';
import { type Request, resolve } from '../requests.ts';
import { emptyModel } from '../session.ts';
import { call } from './calls.ts';
import type { GatedUploads } from './uploads.ts';

export interface Plan {
  /** Starts the upload that the others are about. */
  readonly start: Call;
  readonly before: readonly Call[];
  /** The time of the upload is over when the calls begin that run at once. */
  readonly isOverdue: boolean;
  readonly atOnce: readonly Call[];
}

export const LIMITS: Limits = {
  ...{ partBytes: 64 * 1024, sizes: [1.5 * 64 * 1024, 1000, 3 * 64 * 1024], quotaBytes: 2 ** 40 },
  ...{ ttlMs: 2 * 3_600_000, hasLateDigests: false },
};

/** @throws Error with a line for each fault. */
export async function runPlan(uploads: GatedUploads, plan: Plan, scheduler: Scheduler): Promise<void> {
  const { context, gate, time } = uploads;
  const run = new PlanRun(uploads);
  try {
    await run.calls([plan.start]);
    for (const each of plan.before) await run.calls([each]);
    if (plan.isOverdue) {
      time.pass(LIMITS.ttlMs + 60_000);
      run.noteTime();
    }
    gate.use(scheduler);
    await scheduler.waitFor(run.calls(plan.atOnce));
    await scheduler.waitAll();
    await finish(run);
    if (context.attempts.count !== 0) throw new Error(`${context.attempts.count} attempts at parts are left`);
    // It may find bytes of a part that began when its upload ended (invariant 4).
    await sweep(context);
    await assertFreed(uploads, run.model);
  } finally {
    gate.use(null);
  }
}

class PlanRun {
  readonly #uploads: GatedUploads;
  /** Those that explain all answers. */
  #models: readonly [Model, ...Model[]];

  constructor(uploads: GatedUploads) {
    this.#uploads = uploads;
    const model = emptyModel({ limits: LIMITS, time: uploads.time, servers: 1 });
    this.#models = [{ ...model, servers: [{ settledAtMs: 0, isAgesDue: false }] }];
  }

  get model(): Model {
    return this.#models[0];
  }

  /** At once, and then looks how the uploads stand, without the scheduler. */
  async calls(calls: readonly Call[]): Promise<void> {
    const { context, gate } = this.#uploads;
    const requests = calls.map((each) => resolve(this.model, each)).filter((request) => request !== undefined);
    const done = await Promise.all(
      requests.map(async (request): Promise<Done> => ({ server: 0, request, answer: await call(context, request) })),
    );
    gate.use(null);
    this.#models = compare(this.#models, done, await look(this.#uploads, this.model));
  }

  noteTime(): void {
    const { wallMs, steadyMs } = this.#uploads.time;
    for (const model of this.#models) Object.assign(model, { wallMs, steadyMs });
  }
}

function compare(
  models: readonly [Model, ...Model[]],
  done: readonly Done[],
  seen: readonly Done[],
): readonly [Model, ...Model[]] {
  const explained = explain(models, done, seen, false);
  if (explained.faults.length === 0) return explained.models;
  const answers = [...done, ...seen].map(
    ({ request: { kind }, answer: { status, body } }) => `${kind} ${status} ${body?.code ?? ''}`,
  );
  throw new Error([...explained.faults, `answers: ${answers.join(', ')}`].join('\n'));
}

/** How the uploads stand. */
async function look({ context }: GatedUploads, { uploads }: Model): Promise<Done[]> {
  const seen: Done[] = [];
  const ask = async (request: Request) => {
    const answer = await call(context, request);
    seen.push({ server: 0, request, answer });
    return answer;
  };
  for (const { id: uploadId, owner, protocol } of uploads.values()) {
    const shown = await ask({ kind: 'show', owner, uploadId });
    if (protocol !== 'tus' || !['pending', 'uploading'].includes(String(shown.body?.status))) continue;
    // Completes an upload that has all of its bytes.
    await ask({ kind: 'head', owner, uploadId });
    await ask({ kind: 'show', owner, uploadId });
  }
  return seen;
}

/** What is open gets the rest of its bytes, and the file has them. */
async function finish(run: PlanRun): Promise<void> {
  const [upload] = run.model.uploads.values();
  const same = { upload: 0, isStranger: false } as const;
  const isOpen = upload !== undefined && OPEN_STATES.includes(upload.state);
  if (isOpen && upload.protocol === 'tus') {
    await run.calls([{ kind: 'append', ...same, at: 'right', length: 'rest', variant: 0, checksum: 'none' }]);
  }
  const missing = isOpen ? upload.parts.flatMap((sent, idx) => (sent === null ? [idx] : [])) : [];
  for (const idx of missing)
    await run.calls([{ kind: 'part', ...same, idx, variant: 0, digest: 'none', isShort: false }]);
  await run.calls([{ kind: 'complete', ...same, digest: 'none' }]);
}

/** Bytes are staged for open uploads and failed ones alone, and each file has its bytes. */
async function assertFreed({ memory }: GatedUploads, { uploads, files }: Model): Promise<void> {
  const staged = new Set((await memory.uploads.list()).map(({ id }) => id));
  for (const { id, state } of uploads.values()) {
    if (state !== 'failed' && staged.has(id)) throw new Error(`an upload that is ${state} has staged bytes`);
  }
  const published = await memory.files.list();
  const expected = [...files.values()];
  if (published.length !== expected.length)
    throw new Error(`there are ${published.length} files, not ${expected.length}`);
  for (const file of expected) {
    const digest = Buffer.from(await memory.files.digest(placeOf(file), async () => {})).toString('hex');
    if (digest !== file.sha256) throw new Error(`a file has the SHA-256 ${digest}, not ${file.sha256}`);
  }
}

function placeOf({ id, sizeBytes }: ModelFile): FilePlace {
  return { fileId: id ?? '', filename: 'movie.bin', sizeBytes, overrides: {} };
}
