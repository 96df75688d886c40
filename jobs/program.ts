// jobs/program.ts: a second run starts the program again, so it has to be one for which twice equals once.
import { defineJob } from '../src/job/define-job.ts'
import { PermanentError } from '../systemscripts/errors.ts'
import { findProgram } from '../systemscripts/program/find.ts'
import { linesAtMost, runProgram } from '../systemscripts/run-program.ts'

export default defineJob({
  name: 'program',
  config: readArgs,
  async check({ config, programDir, host }) {
    const path = await findProgram(requireFolder(programDir), config.program)
    return { isOk: true, message: `${path} is there and executable on ${host}` }
  },
  async run({ config, programDir, signal, log, stillMine }) {
    const folder = requireFolder(programDir)
    log('Starting program', { program: config.program, arguments: config.arguments })
    await stillMine()
    const { lines, lastLines, seconds } = await runProgram({
      ...config,
      folder,
      signal,
      onLine: (line, from) => log(line, {}, { level: from === 'stderr' ? 'warning' : 'info', step: from }),
    })
    if (lines > linesAtMost) log(`${lines - linesAtMost} further lines of output were left out`, {}, { level: 'warning' })
    return {
      note: `Exit code 0 after ${seconds.toFixed(1)} s, ${lines} lines of output`,
      result: { exit_code: 0, lines, last_lines: lastLines, seconds: Number(seconds.toFixed(3)) },
    }
  },
})

interface ProgramArgs {
  program: string
  arguments: string[]
  environment: Record<string, string>
}

function readArgs({ program, arguments: given = [], environment = {} }: Record<string, unknown>): ProgramArgs {
  if (typeof program !== 'string')
    throw invalid('names no program', 'Write for example {"program": "close-day.sh", "arguments": ["--dry-run"]}.')
  if (!isTexts(given))
    throw invalid('has arguments that are no array of texts', 'Write for example {"arguments": ["--day", "2026-12-24"]}.')
  return { program, arguments: given, environment: readEnvironment(environment) }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes('\0'))
}

/** Names that load code into a program, lead it to other programs, or belong to Rota; dba.check_args_of_program refuses the same. */
const offLimits =
  /^(ROTA_|DATABASE_URL$|PATH$|LD_|DYLD_|BASH_|ENV$|IFS$|SHELLOPTS$|PS4$|PYTHON|PERL|RUBY|NODE_|JAVA_TOOL_OPTIONS$|_JAVA_OPTIONS$|JDK_JAVA_OPTIONS$|GCONV_PATH$)/i
const secretWords = /password|passwd|secret|token|api_?key/i

function readEnvironment(value: unknown): Record<string, string> {
  const found: Record<string, string> = {}
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  for (const [name, text] of Object.entries(isObject ? value : { '': value })) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || typeof text !== 'string' || text.includes('\0')) {
      throw invalid('has an environment that is no object of texts', 'Write for example {"environment": {"REGION": "north"}}.')
    }
    if (offLimits.test(name) || secretWords.test(name)) {
      throw invalid(`may not set ${name}`, 'Let the program read such things from a file that only its user may read.')
    }
    found[name] = text
  }
  return found
}

function invalid(what: string, hint: string): PermanentError {
  return new PermanentError('args_invalid', `Job "program" ${what}`, { hint })
}

function requireFolder(programDir: string | null): string {
  if (programDir !== null) return programDir
  throw new PermanentError('program_dir_not_set', 'This worker has no folder of programs', {
    hint: 'Set ROTA_PROGRAM_DIR where the workers of this lane start, and restart them.',
  })
}
