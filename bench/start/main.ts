/**
 * Sizes and start times of the one-file programs beside rclone and tusd, which are built with Go (ten minutes, once).
 * `npm run bench:start [-- --programs FOLDER --runs N --dry]`. `--programs`: of `npm run dist`; default: makes them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingTusd, TUSD } from '../../suites/protocols/peers/tusd.ts';
import { median, quantile } from '../report/quantile.ts';
import { describeRun } from '../report/report.ts';
import { writeSection } from '../report/results.ts';
import { bringRclone } from './rclone.ts';

interface Program {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly runsHere: boolean;
}

const ROOT = new URL('../..', import.meta.url).pathname;
const PLATFORMS = ['linux-x64', 'linux-arm64', 'win-x64.exe', 'macos-arm64', 'macos-x64'];
const { values: options } = parseArgs({
  options: {
    programs: { type: 'string' },
    runs: { type: 'string', default: '20' },
    dry: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'cryolift-start-'));
try {
  const missing = missingTusd();
  if (missing) throw new Error(missing);
  const rclone = bringRclone();
  const dist = options.programs ?? makePrograms(join(folder, 'dist'));
  const programs: Program[] = [
    ...PLATFORMS.map((name) => ({
      name: `cryolift-${name}`,
      path: join(dist, `cryolift-${name}`),
      args: ['--version'],
      runsHere: name === `linux-${process.arch}`,
    })),
    { name: 'rclone', path: rclone, args: ['version'], runsHere: true },
    { name: 'tusd', path: TUSD, args: ['--version'], runsHere: true },
  ];
  const rows = report(programs, measureStarts(programs.filter(({ runsHere }) => runsHere)));
  const args = process.argv.slice(2).filter((each) => each !== '--dry');
  const markdown = [describeRun(`node bench/start/main.ts ${args.join(' ')}`.trim()), ...rows].join('\n');
  console.log(markdown);
  if (!options.dry) writeSection('start', markdown);
} finally {
  rmSync(folder, { recursive: true });
}

function makePrograms(dist: string): string {
  mkdirSync(dist);
  const script = join(ROOT, 'scripts/one-file/main.mjs');
  const { status } = spawnSync(process.execPath, [script, '--folder', dist], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the programs were not made');
  return dist;
}

/** Milliseconds, by program: each in turn, so that what else happens on the machine meets all of them. */
function measureStarts(programs: readonly Program[]): ReadonlyMap<Program, readonly number[]> {
  const all = new Map(programs.map((program): [Program, number[]] => [program, []]));
  for (const program of programs) start(program);
  for (let run = 0; run < Number(options.runs); run++) for (const [program, ms] of all) ms.push(start(program));
  return all;
}

/** With what is read of the file in memory. @returns milliseconds until the end. */
function start({ path, args }: Program): number {
  const begunMs = performance.now();
  const { status } = spawnSync(path, args, { stdio: 'ignore', env: { HOME: folder } });
  if (status !== 0) throw new Error(`${path} ${args.join(' ')} ended with ${status}`);
  return performance.now() - begunMs;
}

function report(programs: readonly Program[], starts: ReadonlyMap<Program, readonly number[]>): string[] {
  const rows = programs.map((program) => {
    const ms = starts.get(program);
    const time = ms
      ? `${median(ms).toFixed(0)} (${quantile(ms, 0.25).toFixed(0)}–${quantile(ms, 0.75).toFixed(0)})`
      : '–';
    const run = ms ? `\`${program.name} ${program.args.join(' ')}\`` : '';
    return `| ${program.name} | ${inMb(program.path)} | ${withoutSymbols(program)} | ${time} | ${run} |`;
  });
  return [
    '|  | MB | without symbols | start, ms (quartiles) | what was run |',
    '| --- | --: | --: | --: | --- |',
    ...rows,
  ];
}

function inMb(path: string): string {
  return (statSync(path).size / 1e6).toFixed(0);
}

/** Go leaves the symbols in the file; the downloads of rclone and tusd have none. Ours would not run without some. */
function withoutSymbols({ name, path }: Program): string {
  if (name.startsWith('cryolift')) return '–';
  const stripped = join(folder, 'stripped');
  const { status } = spawnSync('strip', ['-o', stripped, path]);
  return status === 0 && existsSync(stripped) ? inMb(stripped) : '–';
}
