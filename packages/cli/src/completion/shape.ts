/** The commands and options to complete, read from the program, so that they are always current. */
import type { Command } from 'commander';

export interface OptionShape {
  /** With their dashes. */
  readonly names: readonly string[];
  readonly description: string;
  /** Name of its value; null when it has none. */
  readonly value: ValueShape | null;
}

export interface ValueShape {
  readonly name: string;
  readonly isPath: boolean;
  /** The allowed values; empty when any value is allowed. A path is allowed besides them. */
  readonly choices: readonly string[];
}

export interface CommandShape {
  readonly name: string;
  readonly description: string;
  /** The options of the program are valid here, too, except those that only print something. */
  readonly options: readonly OptionShape[];
  /** Its arguments; the last one can be repeated. With subcommands: one for their names and all their arguments. */
  readonly values: readonly ValueShape[];
}

export interface ProgramShape {
  readonly name: string;
  readonly options: readonly OptionShape[];
  readonly commands: readonly CommandShape[];
}

/** Names of arguments that are local paths. */
const PATHS = ['path', 'file', 'dir', 'folder'];

export function shapeOf(program: Command): ProgramShape {
  const help = program.createHelp();
  const options = optionsOf(program);
  const global = options.filter(({ names }) => !names.includes('--version') && !names.includes('--help'));
  const commands = help.visibleCommands(program).map((command) => {
    const all = [command, ...command.commands];
    const names = command.commands.length > 0 ? help.visibleCommands(command).map((each) => each.name()) : [];
    const args = all.flatMap((each) => each.registeredArguments.map((one) => toValue(one.name(), one.argChoices)));
    return {
      name: command.name(),
      description: command.description(),
      options: unique([...all.flatMap(optionsOf), ...global]),
      values:
        names.length > 0 ? [{ name: 'command', isPath: args.some(({ isPath }) => isPath), choices: names }] : args,
    };
  });
  return { name: program.name(), options, commands };
}

function optionsOf(command: Command): OptionShape[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ short, long, flags, description, required, argChoices }) => ({
      names: [short, long].filter((name) => name !== undefined),
      description,
      value: required ? toValue(/<(.+)>/.exec(flags)?.[1] ?? '', argChoices) : null,
    }));
}

/** Subcommands share options. */
function unique(options: readonly OptionShape[]): OptionShape[] {
  return [...new Map(options.map((option) => [option.names.join(), option])).values()];
}

function toValue(name: string, choices: readonly string[] = []): ValueShape {
  return { name, isPath: PATHS.includes(name.toLowerCase()), choices };
}
