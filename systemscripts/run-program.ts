import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { JobError } from './errors.ts'
import { findProgram } from './program/find.ts'
import { readLines } from './program/output.ts'
import { guardGroup, signalGroup } from './program/process-group.ts'

export interface RunProgramOptions {
  /** The only folder that programs are run from, and their working directory. */
  folder: string
  /** Path of the executable, relative to the folder. */
  program: string
  /** Handed over as they are; no shell reads them. */
  arguments: string[]
  /** Added to PATH, HOME and LANG, which are all it gets of ours. */
  environment: Record<string, string>
  /** Ends the program and all that it started. */
  signal: AbortSignal
  /** Called for each line of its output, at most `linesAtMost` times. */
  onLine(line: string, from: 'stdout' | 'stderr'): void
}

export interface ProgramOutcome {
  /** Lines of output, also those beyond the limit. */
  lines: number
  lastLines: string[]
  seconds: number
}

/** Lines passed on; the rest is counted. */
export const linesAtMost = 1000

/**
 * Runs an executable to its end, without a shell, in a process group of its own, with its input closed. When it ends, by itself, by an
 * abort or because this process was killed, what it started in its group ends with it: asked first, killed after five seconds.
 *
 * @returns for exit code 0.
 * @throws PermanentError `program_not_found`, `program_outside`, `program_not_executable`; JobError `program_not_started`,
 * `program_failed` with exit code and last lines, `program_killed` with the signal; the signal's reason, once the group is gone
 */
export async function runProgram(options: RunProgramOptions): Promise<ProgramOutcome> {
  const { folder, program, signal } = options
  const path = await findProgram(folder, program)
  signal.throwIfAborted()
  const begun = performance.now()
  const child = spawn(path, options.arguments, {
    cwd: folder,
    env: { ...plainEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
    shell: false,
  })
  const output = collectOutput(child, options.onLine)
  const pid = await started(child, program)
  const dismissGuard = guardGroup(pid)
  try {
    const { code, killedBy } = await ended(child, pid, signal)
    const outcome = { lines: output.lines, lastLines: output.last, seconds: (performance.now() - begun) / 1000 }
    signal.throwIfAborted()
    if (killedBy !== null) throw killed(program, killedBy, outcome)
    if (code !== 0) throw failed(program, code, outcome)
    return outcome
  } finally {
    dismissGuard()
  }
}

/** What a program needs to find others, its user's files and its language; nothing of ours, which holds addresses and keys. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const names = process.platform === 'win32' ? ['PATH', 'Path', 'SystemRoot', 'TEMP', 'TMP', 'USERPROFILE'] : ['PATH', 'HOME', 'LANG']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
}

const lastLinesKept = 20

function collectOutput(child: ChildProcess, onLine: RunProgramOptions['onLine']): { lines: number; last: string[] } {
  const output: { lines: number; last: string[] } = { lines: 0, last: [] }
  for (const from of ['stdout', 'stderr'] as const) {
    const stream = child[from]
    if (stream === null) continue
    readLines(stream, (line) => {
      output.lines += 1
      output.last.push(line)
      if (output.last.length > lastLinesKept) output.last.shift()
      if (output.lines <= linesAtMost) onLine(line, from)
    })
  }
  return output
}

async function started(child: ChildProcess, program: string): Promise<number> {
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new JobError('program_not_started', `Program "${program}" cannot be started`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Look whether its first line (#!) names an interpreter that is there, and whether it was built for this machine.',
      cause,
    })
  }
  if (child.pid === undefined) throw new JobError('program_not_started', `Program "${program}" has no process`)
  return child.pid
}

const secondsToEnd = 5

/** Waits for the program, then ends what is left of its group, then waits until its output is read. */
async function ended(child: ChildProcess, pid: number, signal: AbortSignal): Promise<{ code: number; killedBy: string | null }> {
  const closed = once(child, 'close')
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
  const aborted = Promise.withResolvers<void>()
  const stop = () => aborted.resolve()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  await Promise.race([exited, aborted.promise])
  signal.removeEventListener('abort', stop)
  await endGroup(pid)
  // a descendant that left the group may hold the pipes open for ever
  await Promise.race([closed, pause(1000, undefined, { ref: false })])
  child.stdout?.destroy()
  child.stderr?.destroy()
  return { code: child.exitCode ?? -1, killedBy: child.signalCode }
}

/** Returns when no process of the group is left, or only such as nobody collects: dead ones in a container without an init. */
async function endGroup(pid: number): Promise<void> {
  if (!signalGroup(pid, 'SIGTERM')) return
  const begun = performance.now()
  for (let seconds = 0; signalGroup(pid, 0) && seconds < secondsToEnd + 2; seconds = (performance.now() - begun) / 1000) {
    if (seconds >= secondsToEnd) signalGroup(pid, 'SIGKILL')
    await pause(20)
  }
}

function failed(program: string, code: number, { lastLines }: ProgramOutcome): JobError {
  return new JobError('program_failed', `Program "${program}" ended with exit code ${code}`, {
    detail: lastWords(lastLines),
    hint: 'Look at its output in the log of the run. Exit code 0 means success to Rota.',
  })
}

function killed(program: string, by: string, { lastLines }: ProgramOutcome): JobError {
  return new JobError('program_killed', `Program "${program}" was ended by ${by}`, {
    detail: lastWords(lastLines),
    hint: 'Somebody or something outside Rota ended it: look at the log of the system, for instance for a lack of memory.',
  })
}

function lastWords(lines: string[]): string {
  return lines.length === 0 ? 'It printed nothing.' : `Its last lines:\n${lines.join('\n')}`
}
