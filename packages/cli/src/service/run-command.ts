/** Runs a command of the service manager. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../process/exit.ts';
import type { ServiceCommand } from './service.ts';

const TIMEOUT_MS = 60_000;
const AGAIN_MS = 500;
const BY_HAND =
  'Show with --print what would be installed, and run `cryolift watch --config FILE` under a supervisor that this system has.';
const NO_BUS = 'Log in as this user itself, on the console or with SSH and not with su; or use --system.';

/** @throws Refusal with what the command printed. */
export async function runCommand({ argv, mayFail = false, tries = 1 }: ServiceCommand): Promise<void> {
  for (let left = tries; ; left--) {
    const { code, said } = execute(argv);
    if (code === 0 || mayFail) return;
    if (left > 1) await sleep(AGAIN_MS);
    else {
      const hint =
        argv.includes('--user') && /bus|XDG_RUNTIME_DIR/.test(said) ? NO_BUS : 'Correct the cause, and run this again.';
      throw new Refusal('service_command_failed', `${argv.join(' ')}: ${said || `exit code ${code}`}`, hint);
    }
  }
}

/** Whether the command succeeds. */
export function succeeds({ argv }: ServiceCommand): boolean {
  return execute(argv).code === 0;
}

function execute([name = '', ...args]: readonly string[]): { code: number | null; said: string } {
  const { error, status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    throw new Refusal('no_service_manager', `there is no ${name} on this system`, BY_HAND);
  }
  if (error) throw error;
  return { code: status, said: (stderr.trim() || stdout.trim()).replaceAll(/\s*\n\s*/g, '; ') };
}
