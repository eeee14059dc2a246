import type { OptionShape, ProgramShape } from './shape.ts';

/** A script for bash 3.2 and newer: `source` it. */
export function bashScript({ name, options, commands }: ProgramShape): string {
  const cases = commands.map((command) => {
    const words = [...command.options, ...command.values].flatMap((each) =>
      'names' in each ? each.names : each.choices,
    );
    const choices = command.values.filter(({ isPath }) => isPath).flatMap((each) => each.choices);
    const paths = command.values.some(({ isPath }) => isPath);
    return `    ${command.name})
      words='${words.join(' ')}' paths=${paths ? 'yes' : ''} choices='${choices.join(' ')}'
      case $previous in
${valueCases(command.options)}      esac ;;`;
  });
  const words = [...commands.map((command) => command.name), ...options.flatMap(({ names }) => names)];
  return `# Completion of ${name} for bash:  source <(${name} completion bash)
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command= words paths= choices= word IFS=$' \\t\\n'
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${commands.map((command) => command.name).join('|')}) command=$word; break ;;
    esac
  done
  case $command in
${cases.join('\n')}
    *)
      words='${words.join(' ')}'
      case $previous in
${valueCases(options)}      esac ;;
  esac
  if [[ $paths && $current != -* ]]; then
    local names="\${choices// /$'\\n'}"
    IFS=$'\\n'
    if [[ $choices ]]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -W "$names" -- "$current") $(compgen -f -- "$current"))
    else
      compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$current"))
    fi
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _${name} ${name}
`;
}

/** After an option with a value, only its values are offered. */
function valueCases(options: readonly OptionShape[]): string {
  const wanting = new Map<string, string[]>();
  for (const { names, value } of options) {
    if (value === null) continue;
    const offer = `words='${value.choices.join(' ')}' paths=${value.isPath ? 'yes' : ''} choices=`;
    wanting.set(offer, [...(wanting.get(offer) ?? []), ...names]);
  }
  return [...wanting].map(([offer, names]) => `        ${names.join('|')}) ${offer} ;;\n`).join('');
}
