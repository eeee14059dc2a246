/** For tests that look for descriptors that are left open. */
import { readdirSync, readlinkSync } from 'node:fs';

/** Descriptors of this process on files below a folder; 0 where the system does not list them. */
export function countDescriptors(folder: string): number {
  if (process.platform !== 'linux') return 0;
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(folder)).length;
}
