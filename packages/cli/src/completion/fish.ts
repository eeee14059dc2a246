import type { OptionShape, ProgramShape, ValueShape } from './shape.ts';

/** A script for fish: in `~/.config/fish/completions/NAME.fish`. */
export function fishScript({ name, options, commands }: ProgramShape): string {
  const complete = `complete -c ${name}`;
  const lines = commands.flatMap((command) => {
    const within = `${complete} -n '__fish_seen_subcommand_from ${command.name}'`;
    return [
      `${complete} -n __fish_use_subcommand -a ${command.name} -d ${quote(command.description)}`,
      ...command.options.map((option) => `${within} ${describe(option)}`),
      ...command.values
        .filter(({ isPath, choices }) => isPath || choices.length > 0)
        .map((each) => `${within}${offer(each)}`),
    ];
  });
  const head = `# Completion of ${name} for fish:  ${name} completion fish > ~/.config/fish/completions/${name}.fish`;
  return `${[head, `${complete} -f`, ...options.map((each) => `${complete} ${describe(each)}`), ...lines].join('\n')}\n`;
}

function describe({ names, description, value }: OptionShape): string {
  const named = names.map((each) => (each.startsWith('--') ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`)).join(' ');
  return `${named}${value === null ? '' : ` -r${offer(value)}`} -d ${quote(description)}`;
}

function offer({ isPath, choices }: ValueShape): string {
  if (isPath) return ' -F';
  return choices.length > 0 ? ` -a '${choices.join(' ')}'` : '';
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
