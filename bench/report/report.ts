/** What was measured, as Markdown: medians, and the least and the greatest of the rounds in brackets. */
import { availableParallelism, cpus } from 'node:os';
import type { Figures } from '../measure.ts';
import type { ClientCost } from '../process.ts';
import type { Sample } from '../promises.ts';
import type { Client } from '../sdk.ts';
import { median, quantile } from './quantile.ts';

export function describeRun(command: string): string {
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'} (${availableParallelism()} cores): \`${command}\`.\n`;
}

export function reportPromises(samples: readonly Sample[]): string {
  const rows = samples.map(({ name, values }) => {
    const known = values.filter((value) => !Number.isNaN(value));
    const figures = [quantile(known, 0.5), quantile(known, 0.99), Math.max(...known)];
    return [name, String(values.length), ...figures.map((value) => (known.length > 0 ? number(value, 1) : 'n/a'))];
  });
  return table(['', 'times', 'p50', 'p99', 'max'], rows);
}

export function reportClients(gib: number, costs: ReadonlyMap<Client, readonly ClientCost[]>): string {
  const totals = new Map([...costs].map(([{ name }, rounds]) => [name, median(rounds.map(totalCpu))]));
  const rows = [...costs].map(([{ name, what }, rounds]) => [
    `\`${name}\`: ${what}`,
    spread(rounds.map(totalCpu)),
    spread(rounds.map(({ cpu }) => cpu.user)),
    spread(rounds.map(({ cpu }) => cpu.system)),
    ratio(totals, name, 'floor'),
    spread(rounds.map(({ seconds }) => seconds)),
  ]);
  const head = ['', 'CPU-s/GiB', 'user', 'system', '÷ floor', 'wall s/GiB'];
  return `CPU time of the client's process, its start included, for a file of ${gib} GiB.\n\n${table(head, rows)}`;
}

export function totalCpu({ cpu }: Pick<Figures, 'cpu'>): number {
  return cpu.user + cpu.system;
}

export function ratio(totals: ReadonlyMap<string, number>, name: string, base: string): string {
  const [mine, other] = [totals.get(name), totals.get(base)];
  return mine && other ? (mine / other).toFixed(2) : '–';
}

export function spread(values: readonly number[], digits = 2): string {
  if (values.length === 0) return '–';
  const middle = number(median(values), digits);
  if (values.length === 1) return middle;
  return `${middle} (${number(Math.min(...values), digits)}–${number(Math.max(...values), digits)})`;
}

function number(value: number, digits: number): string {
  return value.toFixed(digits);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '--:'))), ...rows.map(line)].join('');
}
