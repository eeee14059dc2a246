/**
 * Prometheus, the real program, with the files that deploy/ offers. What is missing is installed by apt-get; `npm test` runs
 * this file as a program first, because tests have less time.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bringProgram, canInstall, findPort, startProgram } from '../program.ts';

export const FOLDER = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
const START_MS = 60_000;

/** @returns why it cannot be had, or null: it is there. */
export function bring(): string | null {
  const packages = ['prometheus'];
  // Both are in the package.
  return bringProgram({ name: 'promtool', packages, versionArgs: ['--version'] }, 'the tests of the monitoring');
}

export interface RunningPrometheus {
  /** What its API answers. @throws Error when that is an error. */
  ask<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

/** Starts it with its file of deploy/, but quicker. @param target a host and port to read. */
export async function startPrometheus(target: string): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-prometheus-'));
  const url = `http://127.0.0.1:${await findPort()}`;
  let config = readFileSync(join(FOLDER, 'prometheus.yml'), 'utf8');
  for (const [was, is] of [
    ['127.0.0.1:8080', target],
    ['- alerts.yml', `- ${join(FOLDER, 'alerts.yml')}`],
    ['interval: 15s', 'interval: 500ms'],
  ] as const) {
    assert.ok(config.includes(was), `prometheus.yml does not have ${was}`);
    config = config.replaceAll(was, is);
  }
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const child = startProgram(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
    ],
    { HOME: folder },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const stop = async () => {
    child.stdin.end();
    await once(child, 'close');
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = () =>
    fetch(`${url}/-/ready`)
      .then(({ ok }) => ok)
      .catch(() => false);
  for (const deadlineMs = Date.now() + START_MS; !(await isReady()); await sleep(20)) {
    if (Date.now() < deadlineMs) continue;
    await stop();
    throw new Error(`Prometheus does not start: ${said}`);
  }
  return {
    async ask<T>(path: string) {
      const answer = (await (await fetch(url + path)).json()) as { status: string; error?: string; data: T };
      if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
      return answer.data;
    },
    stop,
  };
}

if (import.meta.main) {
  const missing = bring();
  if (missing !== null) console.log(`tests of the monitoring are skipped: ${missing}`);
  if (missing !== null && canInstall()) process.exitCode = 1;
}
