/** The report of a soak: `report.md` with pictures. */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { drawChart, type Line } from './charts.ts';
import type { Point } from './flat.ts';
import { type Evaluated, evaluateAll, evaluatedTime, pointsOf, QUANTITIES, type Quantity } from './quantities.ts';
import type { SoakResult } from './result.ts';
import type { Sample } from './samples.ts';
import { KINDS, sum } from './tally.ts';

const MIB = 1024 * 1024;
/** Throughput and faults are those of so long a time, as a share of the whole. */
const WINDOW_SHARE = 1 / 60;
const PICTURES: readonly (readonly [Quantity['chart'], string])[] = [
  ['memory', 'Memory of the server, MiB (heap and buffers: main thread, after collecting garbage)'],
  ['descriptors', 'Descriptors and threads of the server'],
  ['rows', 'Rows'],
  ['storage', 'Bytes in the storage, MiB'],
  ['database', 'Database and audit, MiB'],
  ['temporary', 'Files in the storage, and temporary files'],
];

/** @param out folder that exists. */
export function writeReport(out: string, result: SoakResult): void {
  const pictures = drawPictures(result);
  for (const { name, svg } of pictures) writeFileSync(join(out, `${name}.svg`), svg);
  writeFileSync(
    join(out, 'report.md'),
    printReport(
      result,
      pictures.map(({ name }) => name),
    ),
  );
}

function drawPictures(result: SoakResult): { name: string; svg: string }[] {
  const seconds = result.samples.at(-1)?.at ?? 1;
  const marks = result.marks.map(({ at, what }) => ({ at, kind: KIND_OF_MARK[what] }));
  const charts = PICTURES.map(([name, title]) => {
    const shown = QUANTITIES.filter(({ chart }) => chart === name);
    const all = shown.map((each): Line => ({ name: each.name, points: pointsOf(each, result.samples) }));
    const lines = all.filter(({ points }) => points.some(([, value]) => value > 0));
    const evaluated = evaluatedTime(result);
    return { name, svg: drawChart({ title, lines: shorten(lines), seconds, marks, evaluated }) };
  });
  const perMinute = (name: string, of: (sample: Sample) => number): Line => ({ name, points: rates(result, of, 60) });
  const throughput = [
    perMinute('uploads', ({ checkedUploads }) => checkedUploads),
    perMinute('MiB', ({ checkedBytes }) => checkedBytes / MIB),
  ];
  const faults = [perMinute('connections', ({ badConnections }) => badConnections)];
  return [
    ...charts,
    {
      name: 'throughput',
      svg: drawChart({ title: 'Uploads checked, per minute', lines: throughput, seconds, marks, evaluated: null }),
    },
    {
      name: 'faults',
      svg: drawChart({
        title: 'Connections that met a fault, per minute (lines: red kill -9, blue restart, orange full disk)',
        lines: faults,
        seconds,
        marks,
        evaluated: null,
      }),
    },
  ];
}

const KIND_OF_MARK = { 'kill -9': 'kill', restart: 'restart', 'full disk': 'full' } as const;

function shorten(lines: readonly Line[]): Line[] {
  return lines.map(({ name, points }) => ({ name: name.replace('rows of ', ''), points }));
}

/** What came in each window, for so many seconds. */
function rates({ samples }: SoakResult, of: (sample: Sample) => number, perSeconds: number): Point[] {
  const windowSeconds = (samples.at(-1)?.at ?? 0) * WINDOW_SHARE;
  const points: Point[] = [];
  let begin = samples[0];
  for (const sample of samples) {
    if (!begin || sample.at - begin.at < windowSeconds) continue;
    points.push([sample.at, ((of(sample) - of(begin)) / (sample.at - begin.at)) * perSeconds]);
    begin = sample;
  }
  return points;
}

function printReport(result: SoakResult, pictures: readonly string[]): string {
  const { options, samples, marks, faults, badConnections, answers, notMade, loadEnded, unbrokenFrom } = result;
  const evaluated = evaluateAll(result);
  const growing = evaluated.filter(({ verdict }) => verdict.result === 'grows');
  const isRight = faults.length + growing.length === 0;
  const counts = (what: string) => marks.filter((mark) => mark.what === what).length;
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
  return `# Soak of ${(options.durationMs / 3_600_000).toFixed(2)} hours: ${loadEnded === null ? 'still running' : isRight ? 'right' : 'WRONG'}

Deployment \`${options.deployment}\`, seed ${options.seed}, pace ${options.pace}; ${machine}, Node ${process.version}.
${print(samples.at(-1)?.at ?? 0)} s so far, ${samples.length} samples. The server was killed ${counts('kill -9')} times
and restarted ${counts('restart')} times; the disk was full ${counts('full disk')} times; ${badConnections} connections
met a fault. ${answers} answers were checked.${notMade.length > 0 ? ` Could not be made here: ${notMade.join(', ')}.` : ''}

## Uploads
| client | uploads | right | MiB | ended otherwise, as planned | runs repeated after a fault | wrong |
|---|---|---|---|---|---|---|
${KINDS.filter((kind) => result.tally[kind].started > 0)
  .map((kind) => {
    const { started, right, bytes, otherwise, repeated, wrong } = result.tally[kind];
    return `| ${kind} | ${started} | ${right} | ${print(bytes / MIB)} | ${otherwise} | ${repeated} | ${wrong} |`;
  })
  .join('\n')}
| all | ${sum(result.tally, 'started')} | ${sum(result.tally, 'right')} | ${print(sum(result.tally, 'bytes') / MIB)} | ${sum(result.tally, 'otherwise')} | ${sum(result.tally, 'repeated')} | ${sum(result.tally, 'wrong')} |

\`right\`: published, its record and its bytes compared with the local file, deleted.

## Wrong
${faults.length === 0 ? 'Nothing.' : faults.map((fault) => `- ${fault.slice(0, 1500)}`).join('\n')}

## Flat
The growth is the slope by Theil and Sen times the length of the time that is evaluated (grey in the pictures): the last
four fifths of the time in which one process served under load, from ${unbrokenFrom === null ? 'the last restart' : `${print(unbrokenFrom)} s`} on. Less than
20 minutes are not evaluated.

| quantity | median | least | most | growth | allowed | |
|---|---|---|---|---|---|---|
${evaluated.map(printEvaluated).join('\n')}

The audit is kept, and has ${print((samples.at(-1)?.auditBytes ?? 0) / MIB)} MiB.

${pictures.map((name) => `![${name}](${name}.svg)`).join('\n\n')}
`;
}

function printEvaluated({ name, unit, verdict }: Evaluated): string {
  const { median, least, most, growth, allowed, result } = verdict;
  const of = (value: number) => `${print(Number.isFinite(value) ? value : 0)}${unit ? ` ${unit}` : ''}`;
  return `| ${name} | ${of(median)} | ${of(least)} | ${of(most)} | ${of(growth)} | ${of(allowed)} | ${result} |`;
}

function print(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toFixed(2)));
}
