/** Everything that is measured side by side, and what is not here. */
import { spawnSync } from 'node:child_process';
import { missingTusd } from '../../suites/protocols/peers/tusd.ts';
import { CADDY, type Engine, NGINX as NGINX_ENGINE } from '../../suites/proxies/engine.ts';
import { behindProxy, CRYOLIFT } from './cryolift.ts';
import { DOWNLOADS, NGINX_DOWNLOADS, TUSD_DOWNLOAD } from './downloads.ts';
import { FLOORS } from './floor.ts';
import { NGINX } from './nginx.ts';
import { SMALL_FILES, TUSD_SMALL } from './small-files.ts';
import type { System } from './system.ts';
import { TUS } from './tus.ts';
import { TUSD_BEHIND_NGINX, TUSD_SYSTEMS } from './tusd.ts';
import { UPLOADX } from './uploadx.ts';

export interface Systems {
  readonly systems: readonly System[];
  /** Why others cannot be measured. */
  readonly missing: readonly string[];
}

/** Builds tusd where it is missing and Go is there. */
export function listSystems(): Systems {
  const noTusd = missingTusd();
  const noNginx = missingEngine(NGINX_ENGINE);
  const noCaddy = missingEngine(CADDY);
  return {
    systems: [
      ...CRYOLIFT,
      ...(noNginx ? [] : [...behindProxy(NGINX_ENGINE), NGINX, ...NGINX_DOWNLOADS]),
      ...(noCaddy ? [] : behindProxy(CADDY)),
      ...DOWNLOADS,
      ...SMALL_FILES,
      ...[TUS, UPLOADX],
      ...(noTusd ? [] : [...TUSD_SYSTEMS, TUSD_DOWNLOAD, ...TUSD_SMALL]),
      ...(noTusd || noNginx ? [] : TUSD_BEHIND_NGINX),
      ...FLOORS,
    ],
    missing: [noTusd, noNginx, noCaddy].filter((reason) => reason !== false),
  };
}

function missingEngine({ name, versionArgs }: Engine): string | false {
  return spawnSync(name, versionArgs).status === 0 ? false : `there is no ${name} here`;
}
