import { Argument, Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { examplesText } from './examples.ts'
import { exitCodes } from './exit-codes.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** What can follow a command: its own commands, or its options. */
interface Completion {
  /** The words up to here, without the program's name. */
  path: string
  words: string[]
}

/** `countersign completion <shell>`: a script that knows every command and option. */
export function completionCommand(context: CommandContext): Command {
  const command = new Command('completion')
    .description('print a script for your shell that completes commands and options')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .addHelpText(
      'after',
      examplesText([
        ['countersign completion bash', 'for ~/.bashrc: source <(countersign completion bash)'],
        ['countersign completion zsh', 'for ~/.zshrc: source <(countersign completion zsh)'],
        ['countersign completion fish', 'for ~/.config/fish/completions/countersign.fish'],
      ]),
    )
  return command.action((shell: Shell) => {
    const completions = command.parent === null ? [] : completionsOf(command.parent, '')
    context.stdout.write(scripts[shell](completions))
    context.finish(exitCodes.ok)
  })
}

function completionsOf(command: Command, path: string): Completion[] {
  const names = command.commands.map((child) => child.name())
  const flags = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? '')
  const own = { path, words: [...names, ...flags, '--help'].filter((word) => word !== '') }
  return [
    own,
    ...command.commands.flatMap((child) => completionsOf(child, `${path} ${child.name()}`.trim())),
  ]
}

const scripts: Record<Shell, (completions: readonly Completion[]) => string> = {
  bash: bashScript,
  zsh: (completions) => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(completions)}`,
  fish: fishScript,
}

/** The longest path of the words so far that is a command decides. Files complete as ever. */
function bashScript(completions: readonly Completion[]): string {
  const cases = completions.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
  return `_countersign() {
  local path='' candidate word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    candidate="\${path:+$path }$word"
    case "$candidate" in
      ${completions.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`])).join('|')}) path="$candidate" ;;
      *) break ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _countersign countersign
`
}

function fishScript(completions: readonly Completion[]): string {
  const lines = completions.flatMap(({ path, words }) => {
    const depth = path === '' ? 0 : path.split(' ').length
    const condition = `__countersign_at ${depth}${path === '' ? '' : ` ${path}`}`
    return words.map((word) =>
      word.startsWith('--')
        ? `complete -c countersign -n '${condition}' -l ${word.slice(2)}`
        : `complete -c countersign -n '${condition}' -f -a ${word}`,
    )
  })
  return `function __countersign_at
  set -l words (commandline -opc)
  set -l depth $argv[1]
  set -l path $argv[2..-1]
  test (count $words) -gt $depth; or return 1
  test $depth -eq 0; and test (count $words) -eq 1; and return 0
  test $depth -gt 0; and test "$words[2..(math $depth + 1)]" = "$path"
end
${lines.join('\n')}
`
}
