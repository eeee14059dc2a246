/**
 * The long show: `node suites/faults/main.ts --runs 200 --size 256MiB --seed 1 --part 8MiB --parallel 2`. Prints a line per
 * run and a summary; exits with 1 when a run went wrong. A seed's script is repeated by `--runs 1 --seed N` with the same
 * sizes; what the clock decides (which part meets a fault) may differ.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MIB } from '@cryolift/protocol/plan';
import { startServer } from '../server-under-test.ts';
import { HEADINGS, printFailure, printRow, printSummary } from './report.ts';
import { type Result, runOver } from './run.ts';
import { writeSampleFile } from './sample-file.ts';
import { writeScript } from './script.ts';

const STALL_MS = 2_000;
const WATCHDOG_MS = 120_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    size: { type: 'string', default: '256MiB' },
    part: { type: 'string', default: '8MiB' },
    seed: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '2' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'cryolift-faults-'));
const server = await startServer({ CRYOLIFT_LOG_LEVEL: 'silent' });
const results: Result[] = [];
try {
  const sample = await writeSampleFile(folder, toBytes(values.size));
  const setting = {
    server,
    sample,
    partSizeBytes: toBytes(values.part),
    stallMs: STALL_MS,
    watchdogMs: WATCHDOG_MS,
  };
  const first = Number(values.seed);
  const seeds = Array.from({ length: Number(values.runs) }, (_, nth) => first + nth)[Symbol.iterator]();
  const worker = async () => {
    for (const seed of seeds) {
      const result = await runOver(writeScript(seed, { ...sample, stallMs: STALL_MS }), `seed-${seed}`, setting);
      results.push(result);
      console.log(printRow(seed, result));
      if (result.wrong.length > 0) console.log(printFailure(seed, result));
    }
  };
  console.log(
    `a file of ${values.size} in parts of ${values.part}; the client gives a connection up after ${STALL_MS} ms`,
  );
  console.log(HEADINGS);
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
  console.log(`\n${printSummary(results)}`);
} finally {
  await server.discard();
  await rm(folder, { recursive: true });
}
if (results.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;

/** @param text like `256MiB`. */
function toBytes(text: string): number {
  const [, mebibytes] = /^(\d+)MiB$/.exec(text) ?? [];
  if (mebibytes === undefined) throw new Error(`${text}: sizes read like 256MiB`);
  return Number(mebibytes) * MIB;
}
