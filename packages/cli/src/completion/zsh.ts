import type { CommandShape, OptionShape, ProgramShape, ValueShape } from './shape.ts';

/** A script for zsh: a file `_NAME` in a folder of `$fpath`, or to `source`. */
export function zshScript({ name, options, commands }: ProgramShape): string {
  return `#compdef ${name}
# Completion of ${name} for zsh:  source <(${name} completion zsh)
_${name}() {
  local state line
  local -a commands=(
${commands.map((each) => `    ${quote(`${each.name}:${each.description}`)}`).join('\n')}
  )
  _arguments -C ${options.flatMap(specify).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${commands.map((each) => `        ${each.name}) _arguments ${argumentsOf(each)} ;;`).join('\n')}
      esac ;;
  esac
}
compdef _${name} ${name}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; fi
`;
}

function argumentsOf(command: CommandShape): string {
  const values = command.values.map((value, at) => {
    const place = at === command.values.length - 1 ? '*' : `${at + 1}`;
    return quote(`${place}${toAction(value)}`);
  });
  return [...command.options.flatMap(specify), ...values].join(' ');
}

function specify({ names, description, value }: OptionShape): string[] {
  const said = description.replace(/[\\[\]:]/g, '\\$&');
  return names.map((each) => quote(value === null ? `${each}[${said}]` : `*${each}[${said}]${toAction(value)}`));
}

function toAction({ name, isPath, choices }: ValueShape): string {
  if (isPath && choices.length > 0)
    return `:${name}:{_alternative "names:name:(${choices.join(' ')})" "files:file:_files"}`;
  const action = isPath ? '_files' : choices.length > 0 ? `(${choices.join(' ')})` : ' ';
  return `:${name}:${action}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
