import { readConfig } from '../config.ts'
import { type Call, type Command, parseWords, WrongCommandLine } from './command.ts'
import { commands } from './commands.ts'
import type { Deps } from './deps.ts'
import { commandHelp, overview } from './help-text.ts'
import { nearestWord } from './nearest-word.ts'
import { openOutput } from './output.ts'
import { printError } from './print-error.ts'

/**
 * Carries out one command line.
 *
 * @param argv the words after `rota`.
 * @returns the exit code: 0 done, 1 failed, 2 wrong command line. Errors are printed to stderr in four fields, never thrown.
 */
export async function runCommandLine(argv: string[], deps: Deps): Promise<number> {
  const out = openOutput(deps.stdout)
  const err = openOutput(deps.stderr)
  const asJson = argv.includes('--json')
  try {
    const [first = 'help', ...rest] = argv
    if (['help', '--help', '-h'].includes(first)) {
      const [about] = rest
      out.line(about === undefined ? overview(commands) : commandHelp(findCommand(about)))
      return 0
    }
    const command = findCommand(first)
    const { words, texts, flags } = parseWords(command, rest)
    if (flags.has('help')) {
      out.line(commandHelp(command))
      return 0
    }
    const call: Call = {
      deps,
      out,
      err,
      config: () => readConfig(deps.env),
      words,
      text: (option) => texts.get(option),
      has: (option) => flags.has(option),
    }
    return await command.run(call)
  } catch (error) {
    printError(err, error, { asJson })
    return error instanceof WrongCommandLine ? 2 : 1
  }
}

function findCommand(name: string): Command {
  const found = commands.find((command) => command.name === name)
  if (found !== undefined) return found
  const names = commands.map((command) => command.name)
  const near = nearestWord(name, names)
  throw new WrongCommandLine('unknown_command', `There is no command "rota ${name}"`, {
    detail: `There is ${names.join(', ')}, help.`,
    hint: near === null ? 'Read "rota help".' : `Did you mean "rota ${near}"?`,
  })
}
