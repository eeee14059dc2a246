/**
 * `npm run soak -- --hours 2 --seed 1 --deployment disk --folder OUT`: writes samples, notes and `report.md` with its
 * pictures to OUT, also while it runs. Exits with 1 when anything was wrong, or has grown.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { removeLeftovers } from '../reliability/volume.ts';
import { DEPLOYMENTS, whyNoPlace } from './place.ts';
import { evaluateAll } from './quantities.ts';
import { writeReport } from './report.ts';
import type { SoakResult } from './result.ts';
import { runSoak } from './soak.ts';
import { sum } from './tally.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const REPORT_EVERY_MS = 120_000;

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    deployment: { type: 'string', default: 'disk' },
    folder: { type: 'string', default: 'soak-out' },
    pace: { type: 'string', default: '1' },
  },
});
const deployment = DEPLOYMENTS.find((name) => name === values.deployment);
if (!deployment) {
  console.error(`--deployment is one of ${DEPLOYMENTS.join(', ')}`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
removeLeftovers();
const missing = whyNoPlace(deployment);
if (missing) {
  console.error(`cannot run: ${missing}`);
  process.exit(1);
}
const out = resolve(values.folder);
mkdirSync(out, { recursive: true });
const durationMs = Number(values.hours) * HOUR_MS;
let reportedMs = 0;
const result = await runSoak({
  deployment,
  seed: Number(values.seed),
  durationMs,
  clients: { upload: 2, watch: 1, page: 1, tus: 2, resumable: 1, curl: 1, wire: 3 },
  mostBytes: 64 * MIB,
  pace: Number(values.pace),
  meanFaultMs: Math.min(90_000, Math.max(5_000, durationMs / 60)),
  out,
  onSample(soFar) {
    if (performance.now() - reportedMs < REPORT_EVERY_MS) return;
    reportedMs = performance.now();
    writeReport(out, soFar);
    printState(soFar);
  },
});
writeReport(out, result);
writeFileSync(join(out, 'result.json'), `${JSON.stringify({ ...result, samples: undefined }, null, 2)}\n`);
const growth = evaluateAll(result).filter(({ verdict }) => verdict.result === 'grows');
printState(result);
for (const fault of result.faults) console.log(`WRONG: ${fault}`);
for (const { name } of growth) console.log(`GROWS: ${name}`);
console.log(
  `soak (seed ${values.seed}): ${result.faults.length + growth.length} wrong; the report is ${out}/report.md`,
);
process.exit(result.faults.length + growth.length === 0 ? 0 : 1);

function printState({ tally, marks, samples, faults }: SoakResult): void {
  const hours = ((samples.at(-1)?.at ?? 0) / 3600).toFixed(2);
  const gib = (sum(tally, 'bytes') / 1024 ** 3).toFixed(2);
  console.log(
    `${hours} h: ${sum(tally, 'right')} files right (${gib} GiB), ${sum(tally, 'otherwise')} ended otherwise, ` +
      `${marks.length} faults of the server, ${faults.length} wrong`,
  );
}
