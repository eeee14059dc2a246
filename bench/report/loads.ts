/** What the loads have cost each system, as Markdown. */
import { GIB } from '@cryolift/protocol/plan';
import { describeLoad, type Load } from '../load.ts';
import type { Figures } from '../measure.ts';
import type { System } from '../systems/system.ts';
import { median } from './quantile.ts';
import { ratio, spread, table, totalCpu } from './report.ts';

/** Of one load. */
export interface LoadResult {
  readonly load: Load;
  /** How many were tried; those that failed have no figures. */
  readonly rounds: number;
  readonly figures: ReadonlyMap<System, readonly Figures[]>;
}

export function reportLoads(results: readonly LoadResult[]): string {
  const systems = [...new Set(results.flatMap(({ figures }) => [...figures.keys()]))];
  return [
    ...systems.map(({ name, what }) => `- \`${name}\`: ${what}`),
    '',
    ...results.map((result) =>
      result.load.kinds.includes('small-files') ? reportSmallFiles(result) : reportBigFiles(result),
    ),
  ].join('\n');
}

/** CPU time by the name of each system. */
type Totals = ReadonlyMap<string, number>;

function reportBigFiles({ load, rounds: tried, figures }: LoadResult): string {
  const totals: Totals = new Map([...figures].map(([{ name }, rounds]) => [name, median(rounds.map(totalCpu))]));
  const isUpload = load.kinds.includes('upload');
  const rows = [...figures].map(([system, rounds]) => {
    const completed = rounds.flatMap((round) => round.completed ?? []);
    const uploaded = [
      ratio(totals, system.name, 'tus'),
      ratio(totals, system.name, 'tusd'),
      spread(
        completed.map(({ ms }) => ms),
        0,
      ),
      spread(completed.map(({ cpuSeconds }) => cpuSeconds)),
    ];
    return [
      titleOf(system, tried, rounds),
      spread(rounds.map(totalCpu)),
      spread(rounds.map(({ cpu }) => cpu.user)),
      spread(rounds.map(({ cpu }) => cpu.system)),
      ratio(totals, system.name, system.floor),
      spread(rounds.map(({ seconds }) => seconds)),
      peakOf(rounds),
      ...(isUpload ? uploaded : [ratio(totals, system.name, 'nginx-sendfile')]),
    ];
  });
  const head = ['', 'CPU-s/GiB', 'user', 'system', '÷ its floor', 'wall s/GiB', 'peak MB'];
  const more = isUpload ? ['÷ tus', '÷ tusd', '`complete` ms', 'all CPU-s/GiB'] : ['÷ nginx'];
  return `${titleOfLoad(load)}\n\n${table([...head, ...more], rows)}`;
}

function reportSmallFiles({ load, rounds: tried, figures }: LoadResult): string {
  const rates: Totals = new Map(
    [...figures].map(([{ name }, rounds]) => [name, median(rounds.map((round) => filesPerSecond(load, round)))]),
  );
  const rows = [...figures].map(([system, rounds]) => [
    titleOf(system, tried, rounds),
    spread(
      rounds.map((round) => filesPerSecond(load, round)),
      0,
    ),
    ratio(rates, system.name, system.floor),
    ratio(rates, system.name, 'tus-small'),
    ratio(rates, system.name, 'tusd-small'),
    spread(rounds.map((round) => (totalCpu(round) * 1000 * load.fileBytes) / GIB)),
    peakOf(rounds),
  ]);
  const head = ['', 'files/s', '÷ its floor', '÷ tus', '÷ tusd', 'CPU ms per file', 'peak MB'];
  return `${titleOfLoad(load)}\n\n${table(head, rows)}`;
}

export function filesPerSecond({ fileBytes }: Load, { seconds }: Figures): number {
  return GIB / fileBytes / seconds;
}

function titleOfLoad(load: Load): string {
  return `### ${load.name}: ${describeLoad(load)}`;
}

function titleOf({ name }: System, tried: number, rounds: readonly Figures[]): string {
  const failed = tried - rounds.length;
  return failed === 0 ? name : `${name} (${failed} of ${tried} rounds failed)`;
}

function peakOf(rounds: readonly Figures[]): string {
  return spread(
    rounds.map(({ peakBytes }) => peakBytes / 1e6),
    0,
  );
}
