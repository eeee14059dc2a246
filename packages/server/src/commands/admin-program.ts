/** The commands of `cryolift admin` and of `cryolift link`, and what they take. */
import { type Command, Option } from 'commander';
import type { ExitCode } from '../../../cli/src/exit.ts';
import { parseScrubRate, parseSeq } from '../../../cli/src/quantity.ts';

function add(parent: Command, name: string, description: string): Command {
  const command = parent.command(name).description(description);
  for (const flags of ['--server <url>', '--token <token>', '--json']) command.addOption(new Option(flags).hideHelp());
  return command;
}

/** The commands of `cryolift link`. @param finish is told the exit code of the command that ran. */
export function addLinks(link: Command, finish: (code: ExitCode) => void): void {
  add(link, 'ls', 'your upload links').action(async (_own: unknown, command: Command) => {
    const { listLinks } = await import('../../../cli/src/commands/link.ts');
    finish(await listLinks(command.optsWithGlobals()));
  });
  add(link, 'revoke', 'end upload links; what was uploaded with them stays')
    .argument('[link_id...]')
    .option('--all', 'all of yours')
    .action(async (ids: string[], _own: unknown, command: Command) => {
      const { revokeLinks } = await import('../../../cli/src/commands/link.ts');
      finish(await revokeLinks(ids, command.optsWithGlobals()));
    });
}

/** @param finish is told the exit code of the command that ran. */
export function addAdmin(admin: Command, finish: (code: ExitCode) => void): void {
  add(admin, 'sessions', "everybody's uploads that are not finished")
    .option('--all', 'also those that have ended')
    .action(async (_own: unknown, command: Command) => {
      const { listSessions } = await import('./admin.ts');
      finish(await listSessions(command.optsWithGlobals()));
    });
  add(admin, 'sweep', 'remove now what has expired and what was left over').action(
    async (_own: unknown, command: Command) => {
      const { sweep } = await import('./admin.ts');
      finish(await sweep(command.optsWithGlobals()));
    },
  );
  add(admin, 'scrub', 'read all stored files again and compare them with their digests; exits with 1 for a fault')
    .option('--rate <size>', 'bytes per second to read, at most (50MiB)', parseScrubRate)
    .option('--status', 'begin none, but tell of the last one')
    .option('--stop', 'end the one that is under way')
    .action(async (_own: unknown, command: Command) => {
      const { scrub } = await import('./scrub.ts');
      finish(await scrub(command.optsWithGlobals()));
    });
  const links = add(admin, 'links', "everybody's upload links")
    .option('--owner <owner>', 'those of this owner alone')
    .action(async (_own: unknown, command: Command) => {
      const { listAllLinks } = await import('../../../cli/src/commands/link.ts');
      finish(await listAllLinks(command.optsWithGlobals()));
    });
  add(links, 'revoke', 'end all upload links of one owner')
    .argument('<owner>')
    .action(async (owner: string, _own: unknown, command: Command) => {
      const { revokeLinksOf } = await import('../../../cli/src/commands/link.ts');
      finish(await revokeLinksOf(owner, command.optsWithGlobals()));
    });
  const deliveries = add(admin, 'deliveries', 'events that the webhook has not taken; those that were given up first')
    .option('--all', 'also those that are still tried')
    .action(async (_own: unknown, command: Command) => {
      const { listDeliveries } = await import('./admin.ts');
      finish(await listDeliveries(command.optsWithGlobals()));
    });
  add(deliveries, 'retry', 'send one again, now')
    .argument('<seq>', 'its number', parseSeq)
    .action(async (seq: number, _own: unknown, command: Command) => {
      const { retryDelivery } = await import('./admin.ts');
      finish(await retryDelivery(seq, command.optsWithGlobals()));
    });
  add(admin, 'backup', "copy database, keys and audit into a folder, while the server runs; on the server's machine")
    .argument('<dir>', 'a new folder')
    .option('--data-dir <path>', "the server's data folder (CRYOLIFT_DATA_DIR; ./cryolift-data)")
    .action(async (dir: string, _own: unknown, command: Command) => {
      const { backUp } = await import('./backup.ts');
      finish(await backUp(dir, command.optsWithGlobals()));
    });
}
