import { type Command, helpOption, type Option, usageOf } from './command.ts'

/** What `rota help` prints. */
export function overview(commands: readonly Command[]): string {
  return [
    'Rota: every job is a row. Rows say what runs, when and how; these commands start it and look at it.',
    '',
    'Usage: rota <command> [words] [options]',
    '',
    ...inColumns(commands.map((command) => [['rota', command.name, ...(command.words ?? [])].join(' '), command.summary])),
    ...inColumns([['rota help [command]', 'This page, or the page of one command.']]),
    '',
    'The database is the one of DATABASE_URL; without it the embedded Postgres of ROTA_DATA_DIR (default .rota).',
    'Exit codes: 0 done, 1 failed, 2 wrong command line.',
  ].join('\n')
}

/** What `rota help <command>` and `rota <command> --help` print. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, help: helpOption })
  return [
    `Usage: ${usageOf(command)}`,
    '',
    command.summary,
    ...(command.description === undefined ? [] : ['', command.description]),
    '',
    'Options:',
    ...inColumns(options.map(([name, option]) => [spelling(name, option), option.summary])),
  ].join('\n')
}

function spelling(name: string, { short, value }: Option): string {
  const long = value === undefined ? `--${name}` : `--${name} <${value}>`
  return short === undefined ? `    ${long}` : `-${short}, ${long}`
}

const nameWidth = 36

function inColumns(lines: string[][]): string[] {
  return lines.map(([name = '', summary = '']) => `  ${name.padEnd(nameWidth)}  ${summary}`)
}
