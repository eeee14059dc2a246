/** The server's commands, with their options. The code of a command is loaded when it is called. */
import { OWN_SCOPES } from '@cryolift/protocol/scopes';
import { type Command, Option } from 'commander';
import { addCommand } from 'cryolift/add-command';
import { parseScrubRate, parseSeq, secondsBetween } from 'cryolift/quantity';
import type { Finish, ServerCommands } from 'cryolift/server-commands';

const HALF_A_DAY_SECONDS = 12 * 3600;
const DATA_DIR = '--data-dir <path>';
const DATA_DIR_HELP = "the server's data folder (CRYOLIFT_DATA_DIR; ./cryolift-data)";

const MIGRATE_HELP = `
Nothing is removed at the source; its server does not start until the migration has ended. One
that was killed goes on when the same command is run again. Give the password of PostgreSQL in
PGPASSWORD or ~/.pgpass rather than as an argument, and the key of a bucket in
CRYOLIFT_S3_ACCESS_KEY_ID and CRYOLIFT_S3_SECRET_ACCESS_KEY; where the bucket of the target
has another one, in CRYOLIFT_TO_S3_ACCESS_KEY_ID and CRYOLIFT_TO_S3_SECRET_ACCESS_KEY.
It exits with 4 when files or uploads could not be copied.`;

export const serverCommands: ServerCommands = { addServe, addToken, addAudit, addAdmin, addMigrate };

/** Every setting is an option. The settings are loaded only when they are needed. */
async function addServe(program: Command, argv: readonly string[], finish: Finish): Promise<void> {
  // A wrong setting is reported in one line, also when it is given as an option.
  const command = program.command('serve').description('run the server').showHelpAfterError(false);
  if (!argv.includes('serve') && !argv.includes('completion')) return;
  const { SETTINGS } = await import('../config/settings.ts');
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
    .option('--sub <owner>', 'the owner that the token is for', 'local')
    .option(
      '--scope <scopes>',
      'what the token allows; further scopes are files:locate and admin',
      OWN_SCOPES.join(' '),
    )
    .addOption(
      new Option('--ttl <duration>', 'how long the token is valid, such as 30s, 12h or 7d')
        .argParser(secondsBetween('1s', '3650d'))
        .default(HALF_A_DAY_SECONDS, '12h'),
    )
    .option(DATA_DIR, "the server's data folder, which holds its secret (CRYOLIFT_DATA_DIR; ./cryolift-data)")
    .action(async (_own: unknown, command: Command) => {
      const { makeToken } = await import('./token.ts');
      finish(await makeToken(command.optsWithGlobals()));
    });
}

function addAudit(program: Command, finish: Finish): void {
  addCommand(
    program,
    'audit',
    'show the audit log: who changed which upload, file or link; on the machine of the server',
  )
    .addOption(
      new Option('--since <duration>', 'leave out older entries, such as 7d').argParser(secondsBetween('1s', '3650d')),
    )
    .option(DATA_DIR, DATA_DIR_HELP)
    .action(async (_own: unknown, command: Command) => {
      const { showAudit } = await import('./audit.ts');
      finish(await showAudit(command.optsWithGlobals()));
    });
}

function addAdmin(program: Command, finish: Finish): void {
  const admin = addCommand(
    program,
    'admin',
    'manage the uploads, files and links of all owners; needs the scope admin',
  );
  addCommand(admin, 'sessions', 'list the unfinished uploads of all owners', false)
    .option('--all', 'also uploads that have ended')
    .action(async (_own: unknown, command: Command) => {
      const { listSessions } = await import('./admin.ts');
      finish(await listSessions(command.optsWithGlobals()));
    });
  addCommand(admin, 'sweep', 'remove expired uploads and leftovers now', false).action(
    async (_own: unknown, command: Command) => {
      const { sweep } = await import('./admin.ts');
      finish(await sweep(command.optsWithGlobals()));
    },
  );
  addCommand(
    admin,
    'scrub',
    'read all stored files and compare them with their digests; exits with 1 when a file is damaged',
    false,
  )
    .option('--rate <size>', 'maximum of bytes to read per second (50MiB)', parseScrubRate)
    .option('--status', 'show the last scrub; start none')
    .option('--stop', 'stop the running scrub')
    .action(async (_own: unknown, command: Command) => {
      const { scrub } = await import('./scrub.ts');
      finish(await scrub(command.optsWithGlobals()));
    });
  addAdminLinks(admin, finish);
  addDeliveries(admin, finish);
  addCommand(
    admin,
    'backup',
    "copy database, keys and audit into a folder, also while the server runs; on the server's machine",
    false,
  )
    .argument('<dir>', 'a new folder')
    .option(DATA_DIR, DATA_DIR_HELP)
    .action(async (dir: string, _own: unknown, command: Command) => {
      const { backUp } = await import('./backup.ts');
      finish(await backUp(dir, command.optsWithGlobals()));
    });
}

function addMigrate(program: Command, finish: Finish): void {
  addCommand(
    program,
    'migrate',
    'copy database, files and keys of a stopped server to another database and storage',
    false,
  )
    .option('--from <url>', 'the database of the server (CRYOLIFT_DATABASE_URL; sqlite: in its data folder)')
    .option('--to <url>', 'the database to copy to, which is empty: sqlite:PATH, or postgres://USER:PASSWORD@HOST/NAME')
    .option('--storage-from <url>', 'the storage of the server (CRYOLIFT_STORAGE_URL; file: in its data folder)')
    .option(
      '--storage-to <url>',
      'the storage to copy to, which is empty: file:PATH, or s3://BUCKET/PREFIX?endpoint=URL; without it, the storage stays',
    )
    .option(DATA_DIR, DATA_DIR_HELP)
    .option(
      '--data-dir-to <path>',
      'where keys and audit are copied to (the folder of the database file, or else --data-dir)',
    )
    .option('--dry-run', 'count what would be copied; copy nothing')
    .option('--cancel-uploads', 'cancel the uploads under way whose parts the target cannot hold')
    .option('--leave-damaged', 'finish although files at the source are damaged or missing; keep their records')
    .option('--cancel', 'give up a migration that has not ended; the server starts on the source again')
    .addHelpText('after', MIGRATE_HELP)
    .action(async (_own: unknown, command: Command) => {
      const { migrate } = await import('./migrate.ts');
      finish(await migrate(command.optsWithGlobals()));
    });
}

function addAdminLinks(admin: Command, finish: Finish): void {
  const links = addCommand(admin, 'links', 'list the upload links of all owners', false)
    .option('--owner <owner>', 'only the links of this owner')
    .action(async (_own: unknown, command: Command) => {
      const { listAllLinks } = await import('./admin-links.ts');
      finish(await listAllLinks(command.optsWithGlobals()));
    });
  addCommand(links, 'revoke', 'revoke all upload links of one owner', false)
    .argument('<owner>')
    .action(async (owner: string, _own: unknown, command: Command) => {
      const { revokeLinksOf } = await import('./admin-links.ts');
      finish(await revokeLinksOf(owner, command.optsWithGlobals()));
    });
}

function addDeliveries(admin: Command, finish: Finish): void {
  const text = 'list the events that the webhook has not accepted: those that are no longer tried';
  const deliveries = addCommand(admin, 'deliveries', text, false)
    .option('--all', 'also events that are still tried')
    .action(async (_own: unknown, command: Command) => {
      const { listDeliveries } = await import('./admin.ts');
      finish(await listDeliveries(command.optsWithGlobals()));
    });
  addCommand(deliveries, 'retry', 'send an event again now', false)
    .argument('<seq>', 'the number of the event', parseSeq)
    .action(async (seq: number, _own: unknown, command: Command) => {
      const { retryDelivery } = await import('./admin.ts');
      finish(await retryDelivery(seq, command.optsWithGlobals()));
    });
}
