/** What is measured, over which time it must be flat, and how much it may grow in it. */
import { TABLES } from './database.ts';
import { type Bound, evaluate, type Point, type Verdict } from './flat.ts';
import type { SoakResult } from './result.ts';
import type { Sample } from './samples.ts';

const MIB = 1024 * 1024;
/** Of the time of the process that runs to the end under load. Nothing is evaluated before. */
const WARM_UP = 0.2;
/** What is evaluated for a shorter time may be anything. */
const LEAST_SECONDS = 20 * 60;
/** Tables that must be flat. Others have few rows or none. */
const ROWS: Bound = { absolute: 30, share: 0.25 };

export interface Quantity {
  readonly name: string;
  readonly chart: 'memory' | 'descriptors' | 'rows' | 'storage' | 'database' | 'temporary';
  readonly unit: 'MiB' | '';
  /** Null: unknown at that time. */
  of(sample: Sample): number | null | undefined;
  /** Null: it is shown, and grows. */
  readonly bound: Bound | null;
}

export const QUANTITIES: readonly Quantity[] = [
  ofProcess('resident memory', 'memory', 'MiB', { absolute: 16 * MIB, share: 0.05 }, (each) => each?.rssBytes),
  ofProcess('heap in use', 'memory', 'MiB', { absolute: 2 * MIB, share: 0.05 }, (each) => each?.heapBytes),
  ofProcess('buffers', 'memory', 'MiB', { absolute: 4 * MIB, share: 0.1 }, (each) => each?.externalBytes),
  ofProcess('descriptors', 'descriptors', '', { absolute: 5, share: 0.1 }, (each) => each?.descriptors),
  ofProcess('threads', 'descriptors', '', { absolute: 2, share: 0 }, (each) => each?.threads),
  ...TABLES.map(
    (table): Quantity => ({
      name: `rows of ${table}`,
      chart: 'rows',
      unit: '',
      of: ({ rows }) => rows?.[table],
      bound: ROWS,
    }),
  ),
  quantity('stored bytes', 'storage', 'MiB', { absolute: 64 * MIB, share: 0.25 }, ({ stored }) => stored.bytes),
  quantity('stored files', 'temporary', '', { absolute: 10, share: 0.25 }, ({ stored }) => stored.files),
  quantity('database', 'database', 'MiB', { absolute: MIB, share: 0.1 }, ({ databaseBytes }) => databaseBytes),
  quantity('audit', 'database', 'MiB', null, ({ auditBytes }) => auditBytes),
  quantity('temporary files', 'temporary', '', { absolute: 3, share: 0 }, ({ temporaryFiles }) => temporaryFiles),
];

function ofProcess(
  name: string,
  chart: Quantity['chart'],
  unit: Quantity['unit'],
  bound: Bound,
  value: (of: Sample['process']) => number | null | undefined,
): Quantity {
  return { name, chart, unit, bound, of: ({ process }) => value(process) };
}

function quantity(
  name: string,
  chart: Quantity['chart'],
  unit: Quantity['unit'],
  bound: Bound | null,
  of: Quantity['of'],
): Quantity {
  return { name, chart, unit, bound, of };
}

/** Points of a quantity, without those that are not known. */
export function pointsOf({ of, unit }: Quantity, samples: readonly Sample[]): Point[] {
  const scale = unit === 'MiB' ? MIB : 1;
  return samples.flatMap((sample) => {
    const value = of(sample);
    return typeof value === 'number' && Number.isFinite(value) ? [[sample.at, value / scale] as const] : [];
  });
}

/** From when to when, seconds; null: that is still to come. */
export function evaluatedTime({ unbrokenFrom, loadEnded, samples }: SoakResult): [number, number] | null {
  const end = loadEnded ?? samples.at(-1)?.at ?? 0;
  return unbrokenFrom === null ? null : [unbrokenFrom + WARM_UP * (end - unbrokenFrom), end];
}

export interface Evaluated {
  readonly name: string;
  readonly unit: string;
  readonly verdict: Verdict;
}

/** All that has a bound. */
export function evaluateAll(result: SoakResult): Evaluated[] {
  const time = evaluatedTime(result);
  if (!time) return [];
  const isLong = time[1] - time[0] >= LEAST_SECONDS;
  return QUANTITIES.flatMap((quantity) => {
    if (!quantity.bound) return [];
    const points = pointsOf(quantity, result.samples).filter(([at]) => at >= time[0] && at <= time[1]);
    const scale = quantity.unit === 'MiB' ? MIB : 1;
    const bound = { ...quantity.bound, absolute: quantity.bound.absolute / scale };
    const verdict = evaluate(points, bound);
    return [
      { name: quantity.name, unit: quantity.unit, verdict: isLong ? verdict : { ...verdict, result: 'unknown' } },
    ];
  });
}
