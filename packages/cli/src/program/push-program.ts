/** `cryolift push` and its subcommands, with their options. */
import type { Command } from 'commander';
import { UsageError } from '../process/exit.ts';
import { addCommand } from './add-command.ts';
import type { Finish } from './server-commands.ts';

const DATASET = 'a dataset: its name or its id';

export function addPush(program: Command, finish: Finish): void {
  const push = addCommand(program, 'push', 'let the server copy a complete dataset to another place', false)
    .argument('[dataset]', DATASET)
    .option('--to <destination>', 'a destination of the server, see `push to`: NAME, NAME/FOLDER, or a URL below it')
    .option('--wait', 'until it is done; exit code 1: it has failed')
    .action(async (reference: string | undefined, _own: unknown, command: Command) => {
      const { to, ...flags } = command.optsWithGlobals();
      if (reference === undefined || to === undefined)
        throw new UsageError('push needs a dataset and --to DESTINATION');
      const { pushDataset } = await import('../commands/datasets/push.ts');
      finish(await pushDataset(reference, { ...flags, to }));
    });
  const add = (name: string, description: string) => addCommand(push, name, description, false);
  add('ls', 'list the pushes of a dataset')
    .argument('<dataset>', DATASET)
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { listPushes } = await import('../commands/datasets/push.ts');
      finish(await listPushes(reference, command.optsWithGlobals()));
    });
  add('to', 'list the destinations that the operator of the server has named for you').action(
    async (_own: unknown, command: Command) => {
      const { listDestinations } = await import('../commands/datasets/push.ts');
      finish(await listDestinations(command.optsWithGlobals()));
    },
  );
  add('cancel', 'end a push that is under way')
    .argument('<dataset>', DATASET)
    .argument('<push>', 'its id')
    .action(async (reference: string, pushId: string, _own: unknown, command: Command) => {
      const { cancelPush } = await import('../commands/datasets/push.ts');
      finish(await cancelPush(reference, pushId, command.optsWithGlobals()));
    });
}
