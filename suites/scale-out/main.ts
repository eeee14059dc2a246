/**
 * `node suites/scale-out/main.ts --seeds 100 --seed 1 --size 256`: three servers behind Caddy, on PostgreSQL and an S3
 * service, while a script that a seed draws kills servers, stops PostgreSQL and lets the service fail. Prints a line for
 * each seed and exits with 1 when anything was wrong. `--size` is that of the files, MiB.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startDeployment, whyNoCaddy } from './deployment.ts';
import { runSeed, type SeedResult } from './run.ts';

const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    size: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '30' },
    json: { type: 'string' },
  },
});
const missing = whyNoCaddy();
if (missing) throw new Error(missing);
const results: SeedResult[] = [];
for (let nth = 0; nth < Number(values.seeds); nth++) {
  const deployment = await startDeployment();
  const options = {
    seed: Number(values.seed) + nth,
    sizeBytes: Number(values.size) * MIB,
    partSizeBytes: 8 * MIB,
    lastsMs: Number(values.seconds) * 1000,
    postgresAwayMs: 20_000,
  };
  const result = await runSeed(deployment, options).finally(deployment.stop);
  results.push(result);
  console.log(printResult(result));
}
const wrong = results.filter(({ faults }) => faults.length > 0).length;
const sum = (pick: (result: SeedResult) => number) => results.reduce((total, result) => total + pick(result), 0);
console.log(
  `${results.length} seeds: ${sum(({ counts }) => counts.completes)} files, ` +
    `${sum(({ counts }) => counts.acknowledgedParts)} parts acknowledged by clients on the wire, ` +
    `${sum(({ kills }) => kills)} kills; ${wrong} wrong`,
);
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.exitCode = wrong === 0 ? 0 : 1;

function printResult({
  seed,
  seconds,
  counts,
  kills,
  postgresStops,
  storePeriods,
  answers,
  faults,
}: SeedResult): string {
  const done = `${counts.completes} files, ${counts.acknowledgedParts} parts, ${answers} answers`;
  const failed = `${kills} kills, PostgreSQL away ${postgresStops} time, ${storePeriods} periods of failing storage`;
  const end = faults.length === 0 ? 'right' : `WRONG: ${faults.slice(0, 5).join('; ').slice(0, 2000)}`;
  return `seed ${seed}: ${done}; ${failed}; ${Math.round(seconds)} s: ${end}`;
}
