/** The lines that were set for the speed of uploads and downloads, and what a run has to say about each. */
import type { Figures } from '../measure.ts';
import { filesPerSecond, type LoadResult } from './loads.ts';
import { median } from './quantile.ts';
import { table, totalCpu } from './report.ts';

/** One number of each round of one system under one load. */
interface Quantity {
  readonly load: string;
  readonly of: (round: Figures, result: LoadResult) => number;
}

interface Aim {
  readonly line: string;
  readonly quantity: Quantity;
  readonly system: string;
  readonly base: string;
  readonly sign: '≤' | '≥';
  readonly bound: number;
}

const CPU: Quantity = { load: '4-connections', of: (round) => round.completed?.cpuSeconds ?? totalCpu(round) };
const WALL: Quantity = { load: '4-connections', of: (round) => round.completed?.seconds ?? round.seconds };
const DOWNLOAD: Quantity = { load: 'download-4-ranges', of: totalCpu };
const RATE: Quantity = { load: 'small-files', of: (round, { load }) => filesPerSecond(load, round) };

const AIMS: readonly Aim[] = [
  aim('part SHA-256, CPU ÷ floor with one SHA-256', CPU, 'cryolift-fast-parts', 'floor', '≤', 1.15),
  aim('part and whole SHA-256, CPU ÷ floor with both', CPU, 'cryolift-fast', 'floor-both', '≤', 1.15),
  aim('part SHA-256, CPU ÷ tusd, which verifies nothing', CPU, 'cryolift-fast-parts', 'tusd', '≤', 1.1),
  aim('part SHA-256, CPU ÷ `@tus/server`, which verifies nothing', CPU, 'cryolift-fast-parts', 'tus', '≤', 0.8),
  aim('part and whole SHA-256, wall ÷ tusd', WALL, 'cryolift-fast', 'tusd', '≤', 1.6),
  aim('own TLS, CPU ÷ plain, both digests', CPU, 'cryolift-tls', 'cryolift-fast', '≤', 1.15),
  aim('own TLS, part SHA-256, CPU ÷ nginx TLS + tusd', CPU, 'cryolift-tls-parts', 'nginx-tcp-tusd', '≤', 1),
  aim('… ÷ nginx TLS + tusd by a unix socket', CPU, 'cryolift-tls-parts', 'nginx-unix-tusd', '≤', 1),
  aim('download, 4 ranges, CPU ÷ nginx alone', DOWNLOAD, 'cryolift-download', 'nginx-sendfile', '≤', 2),
  aim('… with X-Accel-Redirect', DOWNLOAD, 'cryolift-x-accel', 'nginx-sendfile', '≤', 1.2),
  aim('small files/s, durable, ÷ `@tus/server`', RATE, 'cryolift-small', 'tus-small', '≥', 1),
  aim('… in one request each, both', RATE, 'cryolift-small-one', 'tus-small-one', '≥', 1),
];

/** What the lines need. */
export const AIM_LOADS: readonly string[] = [...new Set(AIMS.map(({ quantity }) => quantity.load))];
export const AIM_SYSTEMS: readonly string[] = [...new Set(AIMS.flatMap(({ system, base }) => [system, base]))];

/** What other commands measure. */
const ELSEWHERE: readonly (readonly [line: string, aim: string, command: string])[] = [
  ['int8 counting movie over 100 Mbit/s: time ÷ uncompressed', '≤ 0.4', 'bench:compressed'],
  ['float32 tomogram over the same, any file on loopback: time ÷ uncompressed', '≤ 1.02', 'bench:compressed'],
  ['wide area, lossy: Mbit/s; ÷ plain TCP × 64', '≥ 60; ≥ 0.8', 'bench:wide-area'],
  ['wide area, slow: share of the link; round trip ÷ one tus connection', '≥ 0.94; ≤ 1.1', 'bench:wide-area'],
];

function aim(line: string, quantity: Quantity, system: string, base: string, sign: Aim['sign'], bound: number): Aim {
  return { line, quantity, system, base, sign, bound };
}

/** The ratio of the medians; beside it the least and the greatest of the ratios within one round. */
export function reportAims(results: readonly LoadResult[]): string {
  const rows = AIMS.map((each) => {
    const { line, system, base, sign, bound } = each;
    const asked = `${sign} ${bound}`;
    const [own, others] = [valuesOf(each, system, results), valuesOf(each, base, results)];
    const measured = median(own) / median(others);
    if (Number.isNaN(measured)) return [line, asked, '–', 'not measured'];
    const ratios = own.slice(0, others.length).map((value, round) => value / (others[round] ?? Number.NaN));
    const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
    const isMet = sign === '≤' ? measured <= bound : measured >= bound;
    return [line, asked, `${measured.toFixed(2)} (${range})`, isMet ? 'met' : 'missed'];
  });
  const elsewhere = ELSEWHERE.map(([line, asked, command]) => [line, asked, '–', `\`npm run ${command}\``]);
  return table(['line', 'aim', 'measured', ''], [...rows, ...elsewhere]);
}

function valuesOf({ quantity }: Aim, name: string, results: readonly LoadResult[]): number[] {
  const result = results.find(({ load }) => load.name === quantity.load);
  if (!result) return [];
  const [, rounds = []] = [...result.figures].find(([system]) => system.name === name) ?? [];
  return rounds.map((round) => quantity.of(round, result));
}
