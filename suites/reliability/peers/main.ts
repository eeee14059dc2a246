/**
 * `node suites/reliability/peers/main.ts --kills 50 --powers 30 --seed 1 [--server tusd]`: what servers of tus do when
 * they are killed, or lose their power, under load. Prints a table for docs/reliability.md. Exits with 1 when Cryolift
 * has lost something that it must not lose: an offset after a kill, or the bytes of an upload ever.
 */
import { parseArgs } from 'node:util';
import { removeLeftovers, whyNot } from '../volume.ts';
import { type Campaign, FAULTS, type FaultName, type Findings, runRounds } from './rounds.ts';
import { SERVERS, whyNoServer } from './servers.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    powers: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    /** Longest load before a power loss. */
    'load-seconds': { type: 'string', default: '60' },
    server: { type: 'string' },
    'file-system': { type: 'string', default: 'ext4' },
    verbose: { type: 'boolean', default: false },
  },
});
const kind = values['file-system'] === 'xfs' ? 'xfs' : 'ext4';
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
removeLeftovers();
const rounds: Readonly<Record<FaultName, number>> = { kill: Number(values.kills), power: Number(values.powers) };
const names = SERVERS.filter((name) => values.server === undefined || name === values.server);
const reasons = [
  ...names.map((name) => [name, whyNoServer(name)] as const),
  ...(rounds.power > 0 ? [['power losses', whyNot(kind)] as const] : []),
].flatMap(([what, reason]) => (reason ? [`${what}: ${reason}`] : []));
if (reasons.length > 0) {
  console.error(`cannot run: ${reasons.join('; ')}`);
  process.exit(1);
}
let lost = 0;
console.log(`seed ${values.seed}, power losses on ${kind}\n\n${printHead()}`);
for (const fault of FAULTS.filter((each) => rounds[each] > 0)) {
  for (const name of names) {
    const { findings, details } = await runRounds(name, campaign(fault));
    console.log(printRow(name, fault, findings));
    if (values.verbose) for (const line of details) console.log(`  ${line}`);
    if (name === 'cryolift') lost += countLost(fault, findings);
  }
}
process.exit(lost === 0 ? 0 : 1);

function campaign(fault: FaultName): Campaign {
  const common = { fault, rounds: rounds[fault], seed: Number(values.seed) };
  return fault === 'kill' ? common : { ...common, kind, loadMs: Number(values['load-seconds']) * 1000 };
}

function countLost(fault: FaultName, { gone, wentBack, doneNotWhole, wrong, stuck }: Findings): number {
  return wrong + stuck + gone + doneNotWhole + (fault === 'kill' ? wentBack : 0);
}

function printHead(): string {
  return (
    '| server | fault, rounds | uploads | MiB acknowledged | gone or unreadable | offset went back (MiB) ' +
    '| answered as complete | of those not whole (the oldest, s) | wrong after they were continued | not to be continued |\n' +
    '|---|---|---|---|---|---|---|---|---|---|'
  );
}

function printRow(name: string, fault: FaultName, findings: Findings): string {
  const { uploads, acknowledgedBytes, gone, wentBack, wentBackBytes, done, doneNotWhole, wrong, stuck } = findings;
  const oldest = doneNotWhole > 0 ? ` (${findings.oldestSeconds.toFixed(1)})` : '';
  const mib = (bytes: number) => (bytes / 1024 ** 2).toFixed(1);
  const what = fault === 'kill' ? 'kill -9' : 'power loss';
  const back = `${wentBack} (${mib(wentBackBytes)})`;
  const cells = [
    name,
    `${what}, ${findings.rounds}`,
    uploads,
    mib(acknowledgedBytes),
    gone,
    back,
    done,
    `${doneNotWhole}${oldest}`,
  ];
  return `| ${[...cells, wrong, stuck].join(' | ')} |`;
}
