/** `cryolift watch install` and `watch uninstall`: the watch of a settings file as a service. */
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode, Refusal, UsageError } from '../../process/exit.ts';
import { findWatch, type WatchChoice } from '../../service/find-watch.ts';
import { checkService, chooseService, installService, thisHost, uninstallService } from '../../service/install.ts';
import { planService } from '../../service/plan.ts';
import { ownProgram } from '../../service/program.ts';
import type { ServicePlan } from '../../service/service.ts';
import { describeSettings } from '../../settings/describe.ts';
import { loadSettings } from '../../settings/settings-file.ts';
import { placesOf } from '../../state/watch-state.ts';

export interface InstallFlags extends WatchChoice {
  json?: boolean;
  /** Only show what would be written and run. */
  print?: boolean;
  runAs?: string;
  server?: string;
  token?: string;
  link?: string;
}

export async function install(flags: InstallFlags): Promise<ExitCode> {
  const { json, print, runAs = null } = flags;
  const output = new Output(json);
  const { scope, config } = await findWatch(flags);
  for (const name of ['server', 'token', 'link'] as const) {
    if (flags[name] !== undefined) throw new UsageError(`--${name} is not for a service: write it into ${config}`);
  }
  if (runAs !== null && (scope === 'user' || process.platform !== 'linux' || !/^[a-z_][\w.-]*\$?$/i.test(runAs))) {
    throw new UsageError('--run-as names a user, for --system on Linux');
  }
  const choice = chooseService(scope, config, ownProgram(), runAs);
  const host = thisHost(scope);
  const plan = planService(choice, host);
  if (print) {
    output.result(describePlan(plan), () => printPlan(plan));
    return EXIT.done;
  }
  const settings = loadSettings(config);
  await checkService(choice, settings);
  const { log } = placesOf(config, scope);
  const runs = await installService(choice, host);
  if (!runs) {
    throw new Refusal(
      'not_started',
      `the service is installed, and its watch of ${config} has not started yet`,
      `\`cryolift watch status\` shows whether it does. Its log is ${log}.`,
    );
  }
  const { path } = plan.file;
  const { environment } = choice;
  output.result({ config, scope, installed: path, log, hints: plan.hints }, () => [
    `installed and started: ${path}`,
    ...describeSettings(settings),
    ...(Object.keys(environment).length > 0 ? [`It has ${Object.keys(environment).join(', ')} of this shell.`] : []),
    ...plan.hints,
    'See it with `cryolift watch status --live` and `cryolift watch logs -f`.',
  ]);
  return EXIT.done;
}

export async function uninstall(flags: WatchChoice & { json?: boolean }): Promise<ExitCode> {
  const { scope, config } = await findWatch(flags);
  const choice = chooseService(scope, config, []);
  const removed = await uninstallService(choice, thisHost(scope));
  const said = removed
    ? 'removed the service; the settings and the record of what was uploaded stay'
    : 'no service is installed';
  new Output(flags.json).result({ config, scope, removed }, () => said);
  return EXIT.done;
}

function describePlan({ file, install: commands, hints }: ServicePlan): object {
  return { path: file.path, text: file.text, commands: commands.map(({ argv }) => argv), hints };
}

function printPlan({ file, install: commands, hints }: ServicePlan): string[] {
  return [
    `# writes ${file.path}:`,
    ...file.text.replace('\ufeff', '').trimEnd().split(/\r?\n/),
    '',
    '# runs:',
    ...commands.map(({ argv }) => argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' ')),
    '',
    ...hints.map((hint) => `# ${hint}`),
  ];
}
