/** Counts open descriptors of this process. Tests that do so are skipped where `/proc` is missing. */
import { readdirSync, readlinkSync } from 'node:fs';

export const needsProc = { skip: process.platform !== 'linux' && 'needs /proc (Linux)' };

/** Descriptors of this process on files below a folder. @throws without `/proc`. */
export function countDescriptors(folder: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(folder)).length;
}
