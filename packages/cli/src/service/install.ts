/** Installs the watch of a settings file as a service, and removes it. A run that was killed is repaired by the next. */
import { existsSync, rmSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../process/exit.ts';
import { type Scope, thisMachine } from '../settings/places.ts';
import type { Settings } from '../settings/settings.ts';
import { SignInStore } from '../sign-in/store.ts';
import { placesOf, readState, stateRoot } from '../state/watch-state.ts';
import { planService } from './plan.ts';
import { forgetInstalledConfig, replaceFile, writeInstalledConfig } from './record.ts';
import { runCommand, succeeds } from './run-command.ts';
import type { Host, ServiceChoice, ServicePlan } from './service.ts';
import { assertOnlyRootWrites } from './trust.ts';

const START_MS = 20_000;
const POLL_MS = 200;
/** What the shell has and a service needs: where the state lies, and proxies as `findProxy` reads them. */
const VARIABLES = [
  ...['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY', 'no_proxy', 'NO_PROXY'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'TZ'],
];

export function thisHost(scope: Scope): Host {
  const { uid, username } = userInfo();
  return { ...thisMachine(), home: homedir(), uid, user: username, stateRoot: stateRoot(scope) };
}

/** @param program empty to find a service that is installed. */
export function chooseService(
  scope: Scope,
  config: string,
  program: readonly string[],
  runAs: string | null = null,
): ServiceChoice {
  const names = scope === 'user' ? ['XDG_STATE_HOME', ...VARIABLES] : VARIABLES;
  const environment = Object.fromEntries(
    names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  return { scope, program, config, runAs, environment: environment as Record<string, string> };
}

/** @throws Refusal when the service could not work: without a credential, or open to other users. */
export async function checkService(choice: ServiceChoice, settings: Settings): Promise<void> {
  const { scope, config, program, runAs } = choice;
  const isGiven = settings.tokenFile !== null || settings.linkFile !== null;
  if (!isGiven && !(await isSignedIn(choice, settings))) {
    const given = ['CRYOLIFT_TOKEN', 'CRYOLIFT_LINK'].filter((name) => process.env[name]);
    const lost = given.length > 0 ? `, and a service does not have ${given.join(' and ')} of this shell` : '';
    throw new Refusal(
      'no_credential',
      `${config} names no token_file or link_file${lost}`,
      'Write the token into a file that only the user of the service can read, and name that file in the settings. ' +
        'A service of your own can also use your sign-in: `cryolift login --no-keyring`.',
    );
  }
  if (scope !== 'system' || process.platform === 'win32') return;
  if (process.getuid?.() !== 0)
    throw new Refusal('not_root', '--system needs root', 'Use sudo, or leave out --system.');
  // A service of another user can do what that user can.
  if (runAs !== null) return;
  for (const path of [...program, config]) assertOnlyRootWrites(path);
}

/** The service runs as the person who has signed in at the server. */
async function isSignedIn({ scope }: ServiceChoice, { server }: Settings): Promise<boolean> {
  return scope === 'user' && server !== null && (await new SignInStore(server.replace(/\/+$/, '')).isThere());
}

/** @returns whether it runs at the end. */
export async function installService(choice: ServiceChoice, host: Host): Promise<boolean> {
  const plan = planService(choice, host);
  const places = placesOf(choice.config, choice.scope);
  if (!isInstalled(plan) && readState(places).kind === 'running') {
    throw new Refusal('watch_running', `a \`cryolift watch\` with ${choice.config} runs already`, 'End it first.');
  }
  const { path, text, encoding, mode } = plan.file;
  replaceFile(path, Buffer.from(text, encoding), mode);
  writeInstalledConfig(host.stateRoot, choice.config);
  for (const command of plan.install) await runCommand(command);
  return await waitUntil(() => readState(places).kind === 'running');
}

/** @returns false when there was nothing to remove. Settings and state stay. */
export async function uninstallService(choice: ServiceChoice, host: Host): Promise<boolean> {
  const plan = planService(choice, host);
  const wasInstalled = isInstalled(plan);
  const places = placesOf(choice.config, choice.scope);
  // A run that was killed may have left it half installed. What does not run need not be ended.
  const mayFail = !wasInstalled || readState(places).kind === 'stopped';
  for (const command of plan.uninstall)
    await runCommand({ ...command, mayFail: mayFail || (command.mayFail ?? false) });
  rmSync(plan.file.path, { force: true });
  for (const command of plan.afterwards) await runCommand({ ...command, mayFail: true });
  forgetInstalledConfig(host.stateRoot);
  await waitUntil(() => readState(places).kind === 'stopped');
  return wasInstalled;
}

export function isInstalled({ file, query }: ServicePlan): boolean {
  return existsSync(file.path) && (query === null || succeeds(query));
}

async function waitUntil(isSo: () => boolean): Promise<boolean> {
  for (const deadlineMs = performance.now() + START_MS; !isSo(); await sleep(POLL_MS)) {
    if (performance.now() > deadlineMs) return false;
  }
  return true;
}
