import { access, constants, realpath, stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { PermanentError } from '../errors.ts'

/**
 * The real path of a program inside a folder; symbolic links are followed first, so none leads out.
 *
 * @param program relative to the folder.
 * @throws PermanentError `program_not_found`, `program_outside`, `program_not_executable`
 */
export async function findProgram(folder: string, program: string): Promise<string> {
  if (program.trim() === '' || isAbsolute(program) || program.includes('\0')) throw outside(folder, program)
  if (program.split(/[\\/]/).includes('..')) throw outside(folder, program)
  const home = await realpath(folder).catch((cause: unknown) => {
    throw new PermanentError('program_not_found', `The folder of programs "${folder}" is not there`, {
      hint: 'Make it, or correct ROTA_PROGRAM_DIR where this worker starts.',
      cause,
    })
  })
  const path = await realpath(resolve(home, program)).catch((cause: unknown) => {
    throw notFound(folder, program, cause)
  })
  if (relative(home, path).startsWith(`..${sep}`) || isAbsolute(relative(home, path)) || path === home) throw outside(folder, program)
  const facts = await stat(path)
  if (!facts.isFile()) throw notFound(folder, program)
  const isExecutable = process.platform === 'win32' || (facts.mode & 0o111) !== 0
  if (!isExecutable || !(await mayExecute(path))) {
    throw new PermanentError('program_not_executable', `Program "${program}" may not be executed`, {
      detail: `Its mode is ${(facts.mode & 0o777).toString(8)}.`,
      hint: `Make it executable for the user that Rota runs as: chmod +x ${path}`,
    })
  }
  return path
}

/** The superuser passes this test always, which is why the mode is looked at, too. */
function mayExecute(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

function notFound(folder: string, program: string, cause?: unknown): PermanentError {
  return new PermanentError('program_not_found', `There is no program "${program}"`, {
    detail: `It was looked for in ${folder}.`,
    hint: 'Put it there on every machine of this lane, or correct args.program.',
    cause,
  })
}

function outside(folder: string, program: string): PermanentError {
  return new PermanentError('program_outside', `Program "${program}" lies outside the folder of programs`, {
    detail: `Only programs in ${folder} are run.`,
    hint: 'Write its path relative to that folder, without "..", and let no link lead out of it.',
  })
}
