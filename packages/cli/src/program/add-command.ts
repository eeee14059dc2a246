/** Adds a command to the program, or to a command that has commands of its own. */
import { type Command, Option } from 'commander';

const GLOBAL_FLAGS = ['--server <url>', '--token <token>', '--link <url>', '--json'];

/**
 * The command also accepts the global options after its name. The help lists them once for all commands.
 *
 * @param takesLink false for a command that does not work with an upload link.
 */
export function addCommand(parent: Command, name: string, description: string, takesLink = true): Command {
  const command = parent.command(name).description(description);
  for (const flags of GLOBAL_FLAGS) {
    if (takesLink || !flags.startsWith('--link')) command.addOption(new Option(flags).hideHelp());
  }
  return command;
}
