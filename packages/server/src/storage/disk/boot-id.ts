import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * An id that changes when the operating system restarts: Linux's `boot_id`, macOS's boot session. Null when the system
 * has none: then every start counts as one after a power loss.
 */
export function readBootId(): string | null {
  try {
    if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    if (process.platform === 'darwin') {
      return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
    }
  } catch {
    // Null is the result.
  }
  return null;
}
