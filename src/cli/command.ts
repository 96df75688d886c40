import { parseArgs } from 'node:util'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { Config } from '../config.ts'
import type { Deps } from './deps.ts'
import { nearestWord } from './nearest-word.ts'
import type { Output } from './output.ts'

/** One command of the command line; a file of its own in commands/. */
export interface Command {
  name: string
  /** What stands between the name and the options in its usage, such as `<schedule>` or `[role]`; as many words are taken. */
  words?: string[]
  /** What it does, in one line. */
  summary: string
  /** More, for its own help; may give examples. */
  description?: string
  options?: Record<string, Option>
  /** @returns the exit code: 0 done, 1 failed. A thrown error is printed and makes 1. */
  run(call: Call): Promise<number>
}

export interface Option {
  /** Name of its value in the help, such as `json`; left out, the option takes none. */
  value?: string
  short?: string
  summary: string
}

/** One call of a command, its words checked. */
export interface Call {
  deps: Deps
  out: Output
  err: Output
  /** The environment, read when asked for. @throws PermanentError invalid_environment */
  config(): Config
  /** The words as they were given. */
  words: string[]
  /** Value of an option; undefined when it was not given. */
  text(option: string): string | undefined
  /** Whether an option without value was given. */
  has(option: string): boolean
}

/** Words that the command line cannot mean anything by: exit code 2. */
export class WrongCommandLine extends PermanentError {}

export interface ParsedWords {
  words: string[]
  texts: Map<string, string>
  flags: Set<string>
}

/** Every command understands this. */
export const helpOption: Option = { short: 'h', summary: 'Say what this command does.' }

/** For commands whose output scripts read. */
export const jsonOption: Option = { summary: 'Print JSON instead of text.' }

/**
 * Takes the words after a command's name apart.
 *
 * @throws WrongCommandLine `unknown_option`, `option_without_value`, `wrong_words`
 */
export function parseWords(command: Command, argv: string[]): ParsedWords {
  const options: Record<string, Option> = { ...command.options, help: helpOption }
  const { tokens } = parseArgs({
    args: argv,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short === undefined ? {} : { short }) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const parsed: ParsedWords = { words: [], texts: new Map(), flags: new Set() }
  for (const token of tokens) {
    if (token.kind === 'positional') parsed.words.push(token.value)
    if (token.kind !== 'option') continue
    const option = options[token.name]
    if (option === undefined) throw unknownOption(command, token.rawName, Object.keys(options))
    if (option.value === undefined) {
      if (token.value !== undefined) throw wrong(command, 'wrong_words', `Option "${token.rawName}" takes no value`)
      parsed.flags.add(token.name)
    } else if (token.value === undefined || (!token.inlineValue && /^--./.test(token.value))) {
      throw wrong(command, 'option_without_value', `Option "${token.rawName}" needs a value: <${option.value}>`)
    } else parsed.texts.set(token.name, token.value)
  }
  if (!parsed.flags.has('help')) checkWords(command, parsed.words)
  return parsed
}

/** `rota run <schedule> [options]` */
export function usageOf({ name, words = [], options = {} }: Command): string {
  return ['rota', name, ...words, ...(Object.keys(options).length === 0 ? [] : ['[options]'])].join(' ')
}

/** A number in an option. @throws WrongCommandLine `wrong_words` when it is none, or out of range. */
export function countIn(call: Call, option: string, { least, most }: { least: number; most: number }): number | undefined {
  const text = call.text(option)
  if (text === undefined) return undefined
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= least && count <= most) return count
  throw new WrongCommandLine('wrong_words', `Option "--${option}" is "${text}"`, { hint: `Write a whole number from ${least} to ${most}.` })
}

function checkWords(command: Command, words: string[]): void {
  const expected = command.words ?? []
  const missing = expected[words.length]
  if (missing?.startsWith('<')) throw wrong(command, 'wrong_words', `"rota ${command.name}" needs ${missing}`)
  // the words themselves are not repeated: a secret may stand among them by mistake
  if (words.length > expected.length) throw wrong(command, 'wrong_words', `"rota ${command.name}" was given too many words`)
}

function unknownOption(command: Command, given: string, known: string[]): WrongCommandLine {
  const near = nearestWord(given.replace(/^-+/, ''), known)
  const names = known.map((name) => `--${name}`).join(', ')
  return new WrongCommandLine('unknown_option', `"rota ${command.name}" has no option "${given}"`, {
    detail: `It has ${names}.`,
    hint: near === null ? `Usage: ${usageOf(command)}` : `Did you mean "--${near}"?`,
  })
}

function wrong(command: Command, code: string, message: string): WrongCommandLine {
  return new WrongCommandLine(code, message, { hint: `Usage: ${usageOf(command)}` })
}
