/** rclone, built from its source where Go is there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = 'v1.76.0';
const FOLDER = fileURLToPath(new URL(`../../node_modules/.cache/rclone-${VERSION}`, import.meta.url));

/** Builds it where it is missing. @returns its path. @throws Error with what Go printed. */
export function bringRclone(): string {
  const path = join(FOLDER, 'rclone');
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  const { status, stderr } = spawnSync('go', ['install', `github.com/rclone/rclone@${VERSION}`], {
    env: { ...process.env, GOBIN: FOLDER },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`rclone cannot be built: ${stderr}`);
  return path;
}
