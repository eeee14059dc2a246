/** `cryolift admin scrub`: starts a scrub and follows it. The scrub continues on the server when this command ends. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Api, RetryPolicy } from '@cryolift/client';
import type { ScrubReport } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from 'cryolift/connection';
import { EXIT, type ExitCode } from 'cryolift/exit';
import { formatBytes, formatSeconds } from 'cryolift/format';
import { interruptible } from 'cryolift/interrupt';
import { isObject } from 'cryolift/listing';
import { type Lines, Output } from 'cryolift/output';
import { sayWaiting } from 'cryolift/waiting';

export interface ScrubFlags extends ConnectionOptions {
  json?: boolean;
  /** Bytes per second. */
  rate?: number;
  status?: boolean;
  stop?: boolean;
}

const POLL_MS = 1000;
const SAY_MS = 10_000;

export async function scrub(flags: ScrubFlags): Promise<ExitCode> {
  const api = connect(flags, 'admin');
  const output = new Output(flags.json);
  if (flags.stop) return conclude(await ask(api, 'DELETE'), output, ['stopped', 'done', 'never']);
  if (flags.status) return conclude(await ask(api, 'GET'), output, ['running', 'done', 'never']);
  const signal = interruptible();
  const retryPolicy = new RetryPolicy();
  const onRetry = sayWaiting(output);
  let report = await ask(api, 'POST', flags.rate === undefined ? {} : { bytes_per_second: flags.rate }, signal);
  let saidMs = performance.now();
  // A short scrub ends before there is progress to report.
  for (let waitMs = 50; report.status === 'running'; waitMs = Math.min(POLL_MS, waitMs * 2)) {
    await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    report = await retryPolicy.retry(() => ask(api, 'GET', undefined, signal), signal, onRetry);
    retryPolicy.noteProgress();
    if (performance.now() - saidMs < SAY_MS) continue;
    saidMs = performance.now();
    output.event(report);
    output.note(describeProgress(report));
  }
  return conclude(report, output, ['done']);
}

async function ask(api: Api, method: string, body?: object, signal?: AbortSignal): Promise<ScrubReport> {
  return await api.call(isObject<ScrubReport>, method, '/admin/scrub', body, { signal });
}

/** @param expected the states of success. In any other state, not all files were checked. */
function conclude(report: ScrubReport, output: Output, expected: readonly ScrubReport['status'][]): ExitCode {
  output.result(report, () => describe(report));
  if (report.damaged + report.missing > 0 || !expected.includes(report.status)) return EXIT.failed;
  return report.unreadable > 0 ? EXIT.someFailed : EXIT.done;
}

function describe(report: ScrubReport): Lines {
  const { status, files, checked_files, checked_bytes, ok, damaged, missing, unreadable, faults } = report;
  if (status === 'never') return 'no scrub yet';
  if (status === 'running') return [describeProgress(report), ...faults.map(describeFault)];
  const sum = `${checked_files} of ${files} files, ${formatBytes(checked_bytes)}: ${ok} ok, ${damaged} damaged, ${missing} missing, ${unreadable} unreadable`;
  return [`scrub ${status}: ${sum}`, ...faults.map(describeFault)];
}

function describeFault({ file_id, fault, message }: ScrubReport['faults'][number]): string {
  return `  ${fault.padEnd(10)}  ${file_id}  ${message}`;
}

function describeProgress({
  bytes,
  checked_bytes,
  checked_files,
  files,
  bytes_per_second,
  faults,
}: ScrubReport): string {
  const left = formatSeconds((bytes - checked_bytes) / (bytes_per_second ?? 1));
  const done = `${formatBytes(checked_bytes)} of ${formatBytes(bytes)}`;
  return `scrub running: ${checked_files} of ${files} files, ${done}, ${faults.length} faults; ${left} left at least`;
}
