/**
 * `node suites/model/main.ts --deployment memory --runs 10000 --seed 1`: random commands against the model and the
 * server, or interleavings. Prints a line after each batch of runs, with the sums. A run that fails is shrunk, and
 * printed with the flags that repeat it; then the exit code is 1.
 *
 * Each batch of runs has a process of its own, because servers that were stopped leave memory behind, and the next
 * seed.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { DEPLOYMENTS } from './deployments/site.ts';
import { stopServices, whyNoSite } from './deployments/sites.ts';
import { printFailure } from './failure.ts';
import { runInterleavings } from './interleavings/campaign.ts';

const BATCH = { memory: 200, disk: 200, 'postgres-s3': 25, interleavings: 2_000 };

interface Batch {
  readonly runs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly isWrong: boolean;
}

const { values } = parseArgs({
  options: {
    deployment: { type: 'string', default: 'memory' },
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    path: { type: 'string' },
    replay: { type: 'string' },
  },
});
const deployment = ([...DEPLOYMENTS, 'interleavings'] as const).find((each) => each === values.deployment);
if (!deployment) {
  console.error(`--deployment is one of ${DEPLOYMENTS.join(', ')}, interleavings`);
  process.exit(2);
}
const missing = deployment === 'interleavings' ? null : whyNoSite(deployment);
if (missing !== null) {
  console.error(`cannot run: ${missing}`);
  process.exit(1);
}
const [runs, seed, perBatch] = [Number(values.runs), Number(values.seed), BATCH[deployment]];

if (process.send) {
  process.send(await runBatch(), () => process.exit(0));
} else {
  const beganMs = performance.now();
  const batches: Batch[] = [];
  for (let left = runs; left > 0 && !batches.at(-1)?.isWrong; left -= perBatch) {
    batches.push(await startBatch(Math.min(left, perBatch), seed + batches.length));
    console.log(summarise(batches, Math.round((performance.now() - beganMs) / 1000)));
  }
  process.exit(batches.some(({ isWrong }) => isWrong) ? 1 : 0);
}

async function runBatch(): Promise<Batch> {
  const { path, replay } = values;
  const result =
    deployment === 'interleavings'
      ? await runInterleavings({ runs, seed, path })
      : await runCampaign({ deployment: deployment as (typeof DEPLOYMENTS)[number], runs, seed, path, replay });
  await stopServices();
  const { failure, runs: done, ...counts } = result;
  if (failure) console.log(printFailure(failure));
  const { user, system } = process.cpuUsage();
  return { runs: done, counts, cpuSeconds: (user + system) / 1e6, isWrong: failure !== null };
}

/** @throws Error when its process ends without a result. */
async function startBatch(count: number, batchSeed: number): Promise<Batch> {
  const again = ['path', 'replay'] as const;
  const flags = again.flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]]));
  const child = fork(import.meta.filename, [
    ...['--deployment', String(deployment), '--runs', String(count), '--seed', String(batchSeed)],
    ...flags,
  ]);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the batch of seed ${batchSeed} ended with ${code}`);
  });
  ended.catch(() => {});
  const [batch] = await Promise.race([once(child, 'message'), ended]);
  return batch as Batch;
}

function summarise(batches: readonly Batch[], seconds: number): string {
  const sum = (measure: (batch: Batch) => number) => batches.reduce((total, batch) => total + measure(batch), 0);
  const names = Object.keys(batches[0]?.counts ?? {});
  const counts = names.map((name) => `${sum((batch) => batch.counts[name] ?? 0)} ${name}`);
  const seeds = batches.length > 1 ? `seeds ${seed} to ${seed + batches.length - 1}` : `seed ${seed}`;
  const wrong = batches.filter(({ isWrong }) => isWrong).length;
  const cpu = Math.round(sum(({ cpuSeconds }) => cpuSeconds));
  const done = `${sum((batch) => batch.runs)} runs in ${seconds} s (${cpu} CPU-s)`;
  return `${deployment} (${seeds}): ${done}; ${counts.join(', ')}; ${wrong} wrong`;
}
