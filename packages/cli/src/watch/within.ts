/** Whether one path is inside another. */

import ownSystem, { type posix } from 'node:path';

/** True for a path below a folder, and for the folder itself. Links are not followed. */
export function isWithin(folder: string, path: string, system: typeof posix = ownSystem): boolean {
  const below = system.relative(folder, path);
  // A path on another drive of Windows stays absolute.
  return !system.isAbsolute(below) && below.split(system.sep)[0] !== '..';
}
