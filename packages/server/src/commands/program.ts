/** The server's commands, and what they take. What a command runs is loaded only when it is called. */
import { OWN_SCOPES } from '@cryolift/protocol/scopes';
import { type Command, Option } from 'commander';
import { addCommand } from 'cryolift/add-command';
import { parseScrubRate, parseSeq, secondsBetween } from 'cryolift/quantity';
import type { Finish, ServerCommands } from 'cryolift/server-commands';

const HALF_A_DAY_SECONDS = 12 * 3600;
const DATA_DIR = '--data-dir <path>';
const DATA_DIR_HELP = "the server's data folder (CRYOLIFT_DATA_DIR; ./cryolift-data)";

export const serverCommands: ServerCommands = { addServe, addToken, addAudit, addAdmin };

/** Every setting is an option. The settings are loaded only when they are needed. */
async function addServe(program: Command, argv: readonly string[], finish: Finish): Promise<void> {
  // A wrong setting is reported in one line, also when it is given as an option.
  const command = program.command('serve').description('run the server').showHelpAfterError(false);
  if (!argv.includes('serve') && !argv.includes('completion')) return;
  const { SETTINGS } = await import('../config/config.ts');
  for (const { flag, metavar, help } of SETTINGS) command.option(`--${flag} <${metavar}>`, help);
  command.action(async () => {
    const { serve } = await import('../main.ts');
    const flags = SETTINGS.map(({ flag }) => [flag, command.getOptionValue(toCamelCase(flag))] as const);
    finish(await serve(process.env, Object.fromEntries(flags)));
  });
}

function toCamelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function addToken(program: Command, finish: Finish): void {
  addCommand(program, 'token', "make a token from the server's secret")
    .option('--sub <owner>', 'whom the token is for', 'local')
    .option('--scope <scopes>', 'what it allows; further ones are files:locate and admin', OWN_SCOPES.join(' '))
    .addOption(
      new Option('--ttl <duration>', 'how long it is good for, like 30s, 12h or 7d')
        .argParser(secondsBetween('1s', '3650d'))
        .default(HALF_A_DAY_SECONDS, '12h'),
    )
    .option(DATA_DIR, "the server's data folder, where its secret lies (CRYOLIFT_DATA_DIR; ./cryolift-data)")
    .action(async (_own: unknown, command: Command) => {
      const { makeToken } = await import('./token.ts');
      finish(await makeToken(command.optsWithGlobals()));
    });
}

function addAudit(program: Command, finish: Finish): void {
  addCommand(program, 'audit', "who did what to which upload, file or link; on the server's machine")
    .addOption(new Option('--since <duration>', 'not what is older, 7d say').argParser(secondsBetween('1s', '3650d')))
    .option(DATA_DIR, DATA_DIR_HELP)
    .action(async (_own: unknown, command: Command) => {
      const { showAudit } = await import('./audit.ts');
      finish(await showAudit(command.optsWithGlobals()));
    });
}

function addAdmin(program: Command, finish: Finish): void {
  const admin = addCommand(program, 'admin', "what administrators do, on everybody's things; needs the scope admin");
  addCommand(admin, 'sessions', "everybody's uploads that are not finished", false)
    .option('--all', 'also those that have ended')
    .action(async (_own: unknown, command: Command) => {
      const { listSessions } = await import('./admin.ts');
      finish(await listSessions(command.optsWithGlobals()));
    });
  addCommand(admin, 'sweep', 'remove now what has expired and what was left over', false).action(
    async (_own: unknown, command: Command) => {
      const { sweep } = await import('./admin.ts');
      finish(await sweep(command.optsWithGlobals()));
    },
  );
  addCommand(
    admin,
    'scrub',
    'read all stored files again and compare them with their digests; exits with 1 for a fault',
    false,
  )
    .option('--rate <size>', 'bytes per second to read, at most (50MiB)', parseScrubRate)
    .option('--status', 'begin none, but tell of the last one')
    .option('--stop', 'end the one that is under way')
    .action(async (_own: unknown, command: Command) => {
      const { scrub } = await import('./scrub.ts');
      finish(await scrub(command.optsWithGlobals()));
    });
  addAdminLinks(admin, finish);
  addDeliveries(admin, finish);
  addCommand(
    admin,
    'backup',
    "copy database, keys and audit into a folder, while the server runs; on the server's machine",
    false,
  )
    .argument('<dir>', 'a new folder')
    .option(DATA_DIR, DATA_DIR_HELP)
    .action(async (dir: string, _own: unknown, command: Command) => {
      const { backUp } = await import('./backup.ts');
      finish(await backUp(dir, command.optsWithGlobals()));
    });
}

function addAdminLinks(admin: Command, finish: Finish): void {
  const links = addCommand(admin, 'links', "everybody's upload links", false)
    .option('--owner <owner>', 'those of this owner alone')
    .action(async (_own: unknown, command: Command) => {
      const { listAllLinks } = await import('./admin-links.ts');
      finish(await listAllLinks(command.optsWithGlobals()));
    });
  addCommand(links, 'revoke', 'end all upload links of one owner', false)
    .argument('<owner>')
    .action(async (owner: string, _own: unknown, command: Command) => {
      const { revokeLinksOf } = await import('./admin-links.ts');
      finish(await revokeLinksOf(owner, command.optsWithGlobals()));
    });
}

function addDeliveries(admin: Command, finish: Finish): void {
  const text = 'events that the webhook has not taken; those that were given up first';
  const deliveries = addCommand(admin, 'deliveries', text, false)
    .option('--all', 'also those that are still tried')
    .action(async (_own: unknown, command: Command) => {
      const { listDeliveries } = await import('./admin.ts');
      finish(await listDeliveries(command.optsWithGlobals()));
    });
  addCommand(deliveries, 'retry', 'send one again, now', false)
    .argument('<seq>', 'its number', parseSeq)
    .action(async (seq: number, _own: unknown, command: Command) => {
      const { retryDelivery } = await import('./admin.ts');
      finish(await retryDelivery(seq, command.optsWithGlobals()));
    });
}
