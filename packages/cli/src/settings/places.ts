/** Where the settings file and the state of a watch lie: for one user, or for the service of the whole system. */
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

export type Scope = 'user' | 'system';

/** The machine for which places are chosen. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
}

export function thisMachine(): Machine {
  return { platform: process.platform, env: process.env, home: homedir() };
}

/** The settings file that is used when none is named. */
export function defaultSettingsPath(scope: Scope, { platform, env, home }: Machine = thisMachine()): string {
  if (platform === 'win32') {
    const local = env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local');
    return win32.join(scope === 'system' ? programData(env) : local, 'cryolift', 'cryolift.toml');
  }
  const folder = scope === 'system' ? '/etc' : env.XDG_CONFIG_HOME || posix.join(home, '.config');
  return posix.join(folder, 'cryolift', 'cryolift.toml');
}

/** The state home of the service of the system: what XDG_STATE_HOME is for a user. */
export function systemStateHome({ platform, env }: Machine = thisMachine()): string {
  if (platform === 'win32') return programData(env);
  return platform === 'darwin' ? '/Library/Application Support' : '/var/lib/cryolift-watch';
}

function programData(env: NodeJS.ProcessEnv): string {
  return env.PROGRAMDATA || 'C:\\ProgramData';
}
