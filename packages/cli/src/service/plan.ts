/** What `cryolift watch install` writes and runs on each system. */
import { Refusal } from '../process/exit.ts';
import { planLaunchd } from './launchd.ts';
import { planSchtasks } from './schtasks.ts';
import type { Host, ServiceChoice, ServicePlan } from './service.ts';
import { planSystemd } from './systemd.ts';

/** @throws Refusal on other systems. */
export function planService(choice: ServiceChoice, host: Host): ServicePlan {
  if (/[\p{Cc}]/u.test([...choice.program, choice.config].join(''))) {
    throw new Refusal('bad_path', 'a path of the program or the settings file has control characters', 'Rename it.');
  }
  if (host.platform === 'linux') return planSystemd(choice, host);
  if (host.platform === 'darwin') return planLaunchd(choice, host);
  if (host.platform === 'win32') return planSchtasks(choice, host);
  throw new Refusal(
    'no_service_manager',
    `services are not installed on ${host.platform}`,
    'Run `cryolift watch --config FILE` under the supervisor of this system.',
  );
}
