/** Completion scripts for shells, made from the commands themselves. */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Node {
  /** `share ls`; '' for the program. */
  readonly path: string;
  readonly words: readonly Word[];
}

interface Word {
  readonly text: string;
  readonly about: string;
}

function nodesOf(command: Command, path = ''): Node[] {
  const visible = command.commands.filter((each) => each.name() !== 'help');
  const options = command.options.flatMap(({ long, description }) =>
    long ? [{ text: long, about: description }] : [],
  );
  const words = [...visible.map((each) => ({ text: each.name(), about: each.description() })), ...options];
  const below = visible.flatMap((each) => nodesOf(each, path === '' ? each.name() : `${path} ${each.name()}`));
  return [{ path, words: [...words, { text: '--help', about: 'Help' }] }, ...below];
}

/** Which of the commands the line has come to; what is no command is an argument. */
const WALK = `  local at="" word
  for word in "\${before[@]}"; do
    case " $paths " in *" \${at:+$at/}$word "*) at="\${at:+$at/}$word" ;; esac
  done`;

export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program);
  if (shell === 'fish') return fish(nodes);
  const paths = nodes.map(({ path }) => path.replaceAll(' ', '/')).filter((path) => path !== '');
  const cases = nodes.map(
    ({ path, words }) => `    "${path.replaceAll(' ', '/')}") words="${words.map(({ text }) => text).join(' ')}" ;;`,
  );
  const choose = `  local paths="${paths.join(' ')}" words=""\n${WALK}\n  case "$at" in\n${cases.join('\n')}\n  esac`;
  if (shell === 'bash') {
    return `# bash: source <(berth completion bash)
_berth() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${choose}
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _berth berth
`;
  }
  return `#compdef berth
# zsh: source <(berth completion zsh)
_berth() {
  local -a before
  before=("\${(@)words[2,CURRENT-1]}")
${choose.replaceAll('words', 'candidates')}
  compadd -- \${=candidates}
  _files
}
compdef _berth berth
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, words }) => {
    const seen = path.split(' ').filter((word) => word !== '');
    const tests = seen.map((word) => `__fish_seen_subcommand_from ${word}`);
    const children = words.filter(({ text }) => !text.startsWith('--')).map(({ text }) => text);
    if (children.length > 0) tests.push(`not __fish_seen_subcommand_from ${children.join(' ')}`);
    const condition = tests.length === 0 ? '' : ` -n '${tests.join('; and ')}'`;
    return words.map(({ text, about }) => {
      const what = text.startsWith('--') ? `-l ${text.slice(2)}` : `-a ${text}`;
      return `complete -c berth${condition} ${what} -d '${about.replaceAll("'", '’')}'`;
    });
  });
  return `# fish: berth completion fish | source\n${lines.join('\n')}\n`;
}
