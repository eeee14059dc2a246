/** Finds the watch that a command is about: of a settings file, or of the installed service. */

import { UsageError } from '../process/exit.ts';
import { defaultSettingsPath, type Scope } from '../settings/places.ts';
import { completePath, placesOf, stateRoot, type WatchPlaces } from '../state/watch-state.ts';
import { readInstalledConfig } from './record.ts';

export interface WatchChoice {
  /** The settings file; by default that of the installed service, or else the default file. */
  config?: string;
  /** The service of this user, which is the default, or that of the system. */
  user?: boolean;
  system?: boolean;
}

export interface FoundWatch {
  readonly scope: Scope;
  /** Complete path of the settings file. */
  readonly config: string;
  readonly places: WatchPlaces;
}

/** @throws UsageError */
export async function findWatch({ config, user, system }: WatchChoice): Promise<FoundWatch> {
  if (user && system) throw new UsageError('give only one of --user and --system');
  const scope = system ? 'system' : 'user';
  const path = await completePath(config ?? readInstalledConfig(stateRoot(scope)) ?? defaultSettingsPath(scope));
  return { scope, config: path, places: placesOf(path, scope) };
}
