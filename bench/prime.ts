/**
 * Touches the free memory before a run. On a virtual machine whose hypervisor takes freed pages back, the first touch of a
 * page costs 1 to 2.5 CPU-seconds of system time per GiB, and whoever is measured first on fresh pages would pay it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { GIB } from '@cryolift/protocol/plan';

/** Linux: blocks of at least 2^this pages are reported to the hypervisor as free. */
const REPORTING_ORDER = '/sys/module/page_reporting/parameters/page_reporting_order';
/** More than the largest block: nothing is reported. */
const NEVER = '11';
/** Is left to everybody else. */
const MARGIN_BYTES = GIB;

/** Takes memory until it has what it was asked for, and ends. When memory runs short, it is the first to be killed. */
const TOUCH = `
  require('node:fs').writeFileSync('/proc/self/oom_score_adj', '1000');
  const kept = [];
  for (let left = Number(process.argv[1]); left > 0; left -= 2 ** 28) kept.push(Buffer.allocUnsafeSlow(2 ** 28).fill(1));
`;

/** What is changed for it is changed back when this process ends, on a signal too. @returns what was done, in words. */
export function primeMemory(): string {
  const reporting = stopReporting();
  const freeBytes = Number(/MemFree:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
  const bytes = Math.min(freeBytes, process.availableMemory()) - MARGIN_BYTES;
  if (bytes > 0) spawnSync(process.execPath, ['-e', TOUCH, String(bytes)], { stdio: ['ignore', 'ignore', 'inherit'] });
  return `${(Math.max(bytes, 0) / GIB).toFixed(1)} GiB of free memory were touched first; ${reporting}.`;
}

/** @returns what came of it. */
function stopReporting(): string {
  if (!existsSync(REPORTING_ORDER)) return 'this kernel gives no freed pages back';
  const before = readFileSync(REPORTING_ORDER, 'utf8').trim();
  if (before === NEVER) return 'freed pages were not given back before either';
  try {
    writeFileSync(REPORTING_ORDER, NEVER);
  } catch {
    return 'freed pages are given back all the same, because only root can change that: the system time is less certain';
  }
  process.on('exit', () => writeFileSync(REPORTING_ORDER, before));
  return 'freed pages were not given back meanwhile';
}
