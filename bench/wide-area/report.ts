/** What was measured on one path, as Markdown. */
import { MIB } from '@cryolift/protocol/plan';
import { median } from '../report/quantile.ts';
import { table } from '../report/report.ts';
import type { Contestant, Outcome } from './contestants.ts';
import type { Statistics } from './link.ts';
import type { Path } from './paths.ts';
import type { RoundTrips } from './round-trips.ts';

export interface Measurement {
  readonly outcome: Outcome;
  /** Of a plain connection at the same time; null: there was none. */
  readonly beside: Outcome | null;
  readonly roundTrips: RoundTrips;
  readonly traffic: Statistics;
}

export function reportPath(path: Path, rounds: ReadonlyMap<Contestant, readonly Measurement[]>): string {
  const goodputs = new Map([...rounds].map(([{ name }, all]) => [name, median(all.map(goodputMbit))]));
  const head = [
    '',
    'file MiB',
    's',
    'Mbit/s',
    '÷ tus',
    '÷ tus × 4',
    'of the link',
    'round trip ms, median / max',
    'longest queue ms',
    'retries',
    'client sent ÷ file',
    'wire ÷ file',
    'parts under way, median / max',
    'client memory MiB',
    'one TCP beside it, Mbit/s',
  ];
  const rows = [...rounds].map(([{ name, expectedMbit }, all]) => {
    const of = (pick: (measurement: Measurement) => number, digits: number) => print(all.map(pick), digits);
    const isFile = expectedMbit !== null;
    return [
      name,
      isFile ? of(({ outcome }) => outcome.bytes / MIB, 0) : '–',
      of(({ outcome }) => outcome.seconds, 0),
      of(goodputMbit, 1),
      ratio(goodputs, name, 'tus'),
      ratio(goodputs, name, 'tus × 4'),
      of((measurement) => goodputMbit(measurement) / path.rateMbit, 2),
      `${of(({ roundTrips }) => roundTrips.medianMs, 0)} / ${of(({ roundTrips }) => roundTrips.maxMs, 0)}`,
      of(({ traffic }) => traffic.up.longest_wait_ms, 0),
      of(({ outcome }) => outcome.retries ?? Number.NaN, 0),
      of(({ outcome }) => (outcome.sentBytes ?? Number.NaN) / outcome.bytes, 2),
      isFile ? of(({ outcome, traffic }) => traffic.up.sent_bytes / outcome.bytes, 2) : '–',
      describeParts(all),
      of(({ outcome }) => outcome.memoryMib ?? Number.NaN, 0),
      of(({ beside }) => (beside ? goodputMbit({ outcome: beside }) : Number.NaN), 2),
    ];
  });
  const whats = [...rounds.keys()].map(({ name, what }) => `- \`${name}\`: ${what}`);
  return [`### ${path.name}: ${path.what}\n`, ...whats, '', table(head, rows)].join('\n');
}

export function goodputMbit({ outcome: { bytes, seconds } }: Pick<Measurement, 'outcome'>): number {
  return (bytes * 8) / seconds / 1e6;
}

function describeParts(all: readonly Measurement[]): string {
  const parts = all.flatMap(({ outcome }) => outcome.samples ?? []).map(({ underWay }) => underWay);
  return parts.length > 0 ? `${median(parts)} / ${Math.max(...parts)}` : '–';
}

function ratio(goodputs: ReadonlyMap<string, number>, name: string, base: string): string {
  const [mine, other] = [goodputs.get(name), goodputs.get(base)];
  return mine && other ? (mine / other).toFixed(2) : '–';
}

/** The median; of several rounds, the least and the greatest in brackets. */
function print(values: readonly number[], digits: number): string {
  if (values.length === 0 || values.some(Number.isNaN)) return '–';
  const [least, middle, greatest] = [Math.min(...values), median(values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  );
  return least === greatest ? `${middle}` : `${middle} (${least}–${greatest})`;
}
