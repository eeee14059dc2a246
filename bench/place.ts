/** The folder that a run works in, on the disk that is measured. It is gone when the process ends, on a signal too. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export function makePlace(folder: string): string {
  const place = mkdtempSync(join(folder, 'cryolift-bench-'));
  process.on('exit', () => rmSync(place, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  return place;
}
