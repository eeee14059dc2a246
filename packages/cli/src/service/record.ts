/** Which settings file the installed service has: `watch status`, `logs` and `uninstall` need no other choice. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @param stateRoot the folder of all state of the service. */
function pathIn(stateRoot: string): string {
  return join(stateRoot, 'watch', 'service.json');
}

/** @returns null when no service was installed. */
export function readInstalledConfig(stateRoot: string): string | null {
  try {
    const { config } = JSON.parse(readFileSync(pathIn(stateRoot), 'utf8')) as { config?: unknown };
    return typeof config === 'string' ? config : null;
  } catch {
    return null;
  }
}

export function writeInstalledConfig(stateRoot: string, config: string): void {
  replaceFile(pathIn(stateRoot), `${JSON.stringify({ config })}\n`, 0o644);
}

export function forgetInstalledConfig(stateRoot: string): void {
  rmSync(pathIn(stateRoot), { force: true });
}

/** A file that is there whole or not at all. Makes its folder. */
export function replaceFile(path: string, content: string | Buffer, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.new`;
  rmSync(draft, { force: true });
  try {
    // Follows no link that another user may have put there.
    writeFileSync(draft, content, { mode, flag: 'wx' });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
