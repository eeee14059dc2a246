/**
 * Writes to all free memory before a run. On a virtual machine whose hypervisor takes freed pages back, the first write to
 * a page costs 1 to 2.5 s of system time per GiB. Without this, the system that is measured first would have this cost.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { GIB } from '@cryolift/protocol/plan';

/** Linux: free blocks of at least 2^N pages are reported to the hypervisor, with the N of this file. */
const REPORTING_ORDER = '/sys/module/page_reporting/parameters/page_reporting_order';
/** Larger than any block: nothing is reported. */
const NEVER = '11';
/** Left for other processes. */
const MARGIN_BYTES = GIB;

/** Allocates its argument, bytes, writes to all of it, and ends. The kernel kills it first when memory is short. */
const TOUCH = `
  require('node:fs').writeFileSync('/proc/self/oom_score_adj', '1000');
  const kept = [];
  for (let left = Number(process.argv[1]); left > 0; left -= 2 ** 28) kept.push(Buffer.allocUnsafeSlow(2 ** 28).fill(1));
`;

/** Settings that it changes are restored when this process ends, also on a signal. @returns what was done, as text. */
export function primeMemory(): string {
  const reporting = stopReporting();
  const freeBytes = Number(/MemFree:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
  const bytes = Math.min(freeBytes, process.availableMemory()) - MARGIN_BYTES;
  if (bytes > 0) spawnSync(process.execPath, ['-e', TOUCH, String(bytes)], { stdio: ['ignore', 'ignore', 'inherit'] });
  return `${(Math.max(bytes, 0) / GIB).toFixed(1)} GiB of free memory were touched first; ${reporting}.`;
}

/** @returns whether it was possible, as text. */
function stopReporting(): string {
  if (!existsSync(REPORTING_ORDER)) return 'this kernel gives no freed pages back';
  const before = readFileSync(REPORTING_ORDER, 'utf8').trim();
  if (before === NEVER) return 'freed pages were not given back before either';
  try {
    writeFileSync(REPORTING_ORDER, NEVER);
  } catch {
    return 'freed pages are given back, because only root can change that: system times are less exact';
  }
  process.on('exit', () => writeFileSync(REPORTING_ORDER, before));
  return 'freed pages were not given back meanwhile';
}
