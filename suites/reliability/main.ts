/**
 * `node suites/reliability/main.ts --campaign kills --rounds 1000 --seed 1`: prints a line for each data folder and one
 * for the whole, and writes the same as JSON where `--json FILE` says. Exits with 1 when anything was wrong; then the
 * evidence stays, and the line says where. docs/reliability.md has the figures.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CAMPAIGNS, type CampaignName, ROUNDS_PER_SITE, runSite, type SiteResult, VOLUMES } from './campaigns.ts';
import { printSite, printSummary, summarise } from './report.ts';
import { removeLeftovers, whyNot } from './volume.ts';

const { values } = parseArgs({
  options: {
    campaign: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const name = CAMPAIGNS.find((each) => each === values.campaign);
if (!name) {
  console.error(`--campaign is one of ${CAMPAIGNS.join(', ')}`);
  process.exit(2);
}
// A signal ends the process by way of its exit handlers, which unmount.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
removeLeftovers();
const missing = VOLUMES[name].map(whyNot).filter((reason) => reason !== null);
if (missing.length > 0) {
  console.error(`cannot run: ${missing.join('; ')}`);
  process.exit(1);
}
const beganMs = performance.now();
const results = await runAll(name, Number(values.rounds), Number(values.seed), Number(values.parallel));
const summary = summarise(name, Number(values.seed), results, (performance.now() - beganMs) / 1000);
console.log(printSummary(summary));
if (values.json) writeFileSync(values.json, `${JSON.stringify({ ...summary, sites: results }, null, 2)}\n`);
process.exit(summary.faults === 0 && summary.rounds >= Number(values.rounds) ? 0 : 1);

async function runAll(campaign: CampaignName, rounds: number, seed: number, parallel: number): Promise<SiteResult[]> {
  const perSite = ROUNDS_PER_SITE[campaign];
  const sites = Array.from({ length: Math.ceil(rounds / perSite) }, (_, nth) => nth);
  const done: SiteResult[] = [];
  const worker = async () => {
    for (let nth = sites.shift(); nth !== undefined; nth = sites.shift()) {
      const result = await runSite(campaign, seed + nth, Math.min(perSite, rounds - nth * perSite), nth);
      done.push(result);
      console.log(printSite(result));
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return done;
}
