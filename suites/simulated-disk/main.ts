/**
 * `node suites/simulated-disk/main.ts --seeds 1000 --seed 1`: as many power losses, one with each seed. Prints a line for
 * each that was wrong, one for each recorded run of the server, and one for the whole. Exits with 1 when anything was
 * wrong; then the recording and the disk stay, and the line says where. `--recording FOLDER` takes a recording that stayed.
 *
 * Each recording has a process of its own, because the memory of the servers that were started in one is not given back.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { emptySummary, losePowerOften, printWrong, type Summary } from './losses.ts';
import { Recording } from './recording.ts';
import { whyNoStrace } from './strace.ts';

const LOSSES_PER_RECORDING = 100;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    recording: { type: 'string' },
    nth: { type: 'string' },
  },
});
const missing = await whyNoStrace();
if (missing !== null) {
  console.error(`cannot run: ${missing}`);
  process.exit(1);
}
const [seed, seeds] = [Number(values.seed), Number(values.seeds)];
if (values.nth !== undefined || values.recording !== undefined) {
  const made = values.recording === undefined ? null : Recording.open(values.recording);
  const summary = await losePowerOften(
    seed,
    seeds,
    LOSSES_PER_RECORDING,
    made,
    (recovered, recording) => console.log(printWrong(recovered, recording)),
    ({ losses, faults }, { layout }) => console.log(`${losses} power losses, ${layout}, seed ${seed}: ${faults} wrong`),
    Number(values.nth ?? 0),
  );
  process.send?.(summary);
  process.exitCode = summary.faults === 0 ? 0 : 1;
} else {
  const beganMs = performance.now();
  const total = emptySummary();
  for (let nth = 0; nth * LOSSES_PER_RECORDING < seeds; nth++) {
    const done = nth * LOSSES_PER_RECORDING;
    add(total, await runApart(nth, seed + done, Math.min(LOSSES_PER_RECORDING, seeds - done)));
  }
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  console.log(
    `simulated disk (seed ${seed}): ${total.losses} power losses in ${seconds} s; ${total.uploads} uploads, ` +
      `${total.acknowledgedParts} parts acknowledged, ${total.takenBackParts} of them asked for again; ` +
      `${total.answers} answers checked; ${total.faults} wrong`,
  );
  process.exitCode = total.faults === 0 ? 0 : 1;
}

/** @throws Error when the process ends without a summary. */
async function runApart(nth: number, firstSeed: number, count: number): Promise<Summary> {
  const child = fork(import.meta.filename, ['--nth', `${nth}`, '--seed', `${firstSeed}`, '--seeds', `${count}`]);
  let summary: Summary | null = null;
  child.on('message', (message) => {
    summary = message as Summary;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (!summary) throw new Error(`the process of the seeds from ${firstSeed} on ended with ${code}`);
  return summary;
}

function add(total: Summary, more: Summary): void {
  for (const name of Object.keys(total) as (keyof Summary)[]) total[name] += more[name];
}
