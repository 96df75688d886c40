import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import program from '../../jobs/program.ts'
import { isAlive } from '../../src/db/embedded/process-alive.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { checkJob, type LogLine, runJob } from '../helpers/run-job.ts'

const posix = process.platform === 'win32' ? { skip: 'needs POSIX programs' } : {}

test('a program gets its arguments as they are, and its output is the log and the outcome', posix, async (t) => {
  const { programDir } = await folderWith(t, { 'say.sh': '#!/bin/sh\nfor a in "$@"; do echo "[$a]"; done\necho trouble >&2\n' })
  const log: LogLine[] = []
  const outcome = await runJob(program, { program: 'say.sh', arguments: ['a b', '$(id)', "'; rm -rf /", '*', ''] }, { programDir }, log)
  const said = log.filter(({ step }) => step === 'stdout').map(({ message }) => message)
  assert.deepEqual(said, ['[a b]', '[$(id)]', "['; rm -rf /]", '[*]', '[]'])
  assert.deepEqual(
    log.filter(({ level }) => level === 'warning').map(({ message, step }) => [message, step]),
    [['trouble', 'stderr']],
  )
  assert.equal(outcome.result?.exit_code, 0)
  assert.equal(outcome.result?.lines, 6)
  assert.match(outcome.note ?? '', /^Exit code 0 after [\d.]+ s, 6 lines of output$/)
})

test('another exit code than 0 fails the run with its last lines, and may be tried again', posix, async (t) => {
  const { programDir } = await folderWith(t, { 'fail.sh': '#!/bin/sh\necho "no room" >&2\nexit 3\n' })
  await assert.rejects(runJob(program, { program: 'fail.sh' }, { programDir }), (error) => {
    assert.ok(error instanceof JobError && !(error instanceof PermanentError))
    assert.equal(error.code, 'program_failed')
    assert.equal(error.message, 'Program "fail.sh" ended with exit code 3')
    assert.match(error.detail ?? '', /no room/)
    return true
  })
})

test('a program that was killed from outside says by which signal', posix, async (t) => {
  const { programDir } = await folderWith(t, { 'die.sh': '#!/bin/sh\nkill -KILL $$\n' })
  await assert.rejects(runJob(program, { program: 'die.sh' }, { programDir }), { code: 'program_killed', message: /SIGKILL/ })
})

test('a program gets PATH, HOME, LANG and what args give, nothing of ours, and closed input', posix, async (t) => {
  const { programDir } = await folderWith(t, { 'env.sh': '#!/bin/sh\nenv\npwd\ncat\n' })
  process.env.ROTA_PLANTED = 'planted'
  process.env.DATABASE_URL_PLANTED = 'planted'
  t.after(() => {
    delete process.env.ROTA_PLANTED
    delete process.env.DATABASE_URL_PLANTED
  })
  const log: LogLine[] = []
  await runJob(program, { program: 'env.sh', environment: { REGION: 'north' } }, { programDir }, log)
  const said = log.filter(({ step }) => step === 'stdout').map(({ message }) => message)
  const names = said.filter((line) => line.includes('=')).map((line) => line.slice(0, line.indexOf('=')))
  for (const name of names) assert.ok(['PATH', 'HOME', 'LANG', 'REGION', 'PWD', 'SHLVL', '_', 'OLDPWD'].includes(name), name)
  assert.ok(said.includes('REGION=north'))
  assert.ok(said.some((line) => line.endsWith(programDir.slice(programDir.lastIndexOf('/')))))
})

test('only programs inside the folder are run', posix, async (t) => {
  const { programDir } = await folderWith(t, { 'inside.sh': '#!/bin/sh\nexit 0\n', 'plain.txt': 'no program' })
  await chmod(join(programDir, 'plain.txt'), 0o644)
  await mkdir(join(programDir, 'sub'))
  await symlink('/bin/sh', join(programDir, 'shell'))
  await symlink('inside.sh', join(programDir, 'alias'))
  await symlink('/bin', join(programDir, 'bin'))
  const codeOf = async (path: string) =>
    runJob(program, { program: path }, { programDir }).then(
      () => 'ran',
      (error: unknown) => (error instanceof PermanentError ? error.code : error),
    )
  assert.equal(await codeOf('inside.sh'), 'ran')
  assert.equal(await codeOf('./alias'), 'ran')
  for (const path of ['/bin/sh', '../sh', 'sub/../../sh', 'shell', 'bin/sh', '.', ''])
    assert.equal(await codeOf(path), 'program_outside', path)
  for (const path of ['missing.sh', 'sub', 'inside.sh/x']) assert.equal(await codeOf(path), 'program_not_found', path)
  assert.equal(await codeOf('plain.txt'), 'program_not_executable')
})

test('without ROTA_PROGRAM_DIR the job is refused', async () => {
  await assert.rejects(runJob(program, { program: 'x' }), { name: 'PermanentError', code: 'program_dir_not_set', hint: /ROTA_PROGRAM_DIR/ })
})

test('an interpreter that is not there is told', posix, async (t) => {
  const { programDir } = await folderWith(t, { 'odd.sh': '#!/no/such/interpreter\n' })
  await assert.rejects(runJob(program, { program: 'odd.sh' }, { programDir }), { code: 'program_not_started', detail: /ENOENT/ })
})

test('an abort ends the program and all that it started', posix, async (t) => {
  const { programDir, pidsIn } = await folderWith(t, { 'tree.sh': '#!/bin/sh\nsleep 1000 &\necho $! > child\necho $$ > own\nwait\n' })
  const asked = new AbortController()
  const running = runJob(program, { program: 'tree.sh' }, { programDir, signal: asked.signal })
  const pids = await pidsIn('child', 'own')
  asked.abort(new JobError('cancelled', 'cancelled by a person'))
  await assert.rejects(running, { code: 'cancelled' })
  assert.deepEqual(pids.map(isAlive), [false, false])
})

test('a program that ignores TERM is killed after five seconds', posix, async (t) => {
  const { programDir, pidsIn } = await folderWith(t, { 'deaf.sh': `#!/bin/sh\ntrap '' TERM\necho $$ > own\nwhile :; do sleep 1; done\n` })
  const asked = new AbortController()
  const running = runJob(program, { program: 'deaf.sh' }, { programDir, signal: asked.signal })
  const pids = await pidsIn('own')
  asked.abort(new JobError('timed_out', 'the attempt took too long'))
  await assert.rejects(running, { code: 'timed_out' })
  assert.deepEqual(pids.map(isAlive), [false])
})

test('what a program leaves behind in its group ends with it', posix, async (t) => {
  const { programDir, pidsIn } = await folderWith(t, { 'leave.sh': '#!/bin/sh\nsleep 1000 &\necho $! > child\n' })
  await runJob(program, { program: 'leave.sh' }, { programDir })
  assert.deepEqual((await pidsIn('child')).map(isAlive), [false])
})

test('a program ends when the worker that runs it is killed', posix, async (t) => {
  const { programDir, pidsIn } = await folderWith(t, { 'long.sh': '#!/bin/sh\necho $$ > own\nsleep 1000\n' })
  const code = `
    const { runProgram } = await import(${JSON.stringify(new URL('../../systemscripts/run-program.ts', import.meta.url).href)})
    await runProgram({ folder: ${JSON.stringify(programDir)}, program: 'long.sh', arguments: [], environment: {}, signal: new AbortController().signal, onLine() {} })`
  const worker = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  t.after(() => void worker.kill('SIGKILL'))
  const pids = await pidsIn('own')
  await guardStarted(worker)
  worker.kill('SIGKILL')
  await until(() => Promise.resolve(pids.every((pid) => !isAlive(pid))))
})

test('a flood of output is counted, and a bounded part is kept', posix, async (t) => {
  const script = `#!/bin/sh
awk 'BEGIN { for (i = 1; i <= 200000; i++) print "line " i; for (i = 0; i < 300000; i++) printf "0123456789"; print ""; }'
printf '\\033[31mred\\033[0m\\tand \\000nul\\n10%%\\r50%%\\r100%%\\r\\nno end'
`
  const { programDir } = await folderWith(t, { 'flood.sh': script })
  const log: LogLine[] = []
  const outcome = await runJob(program, { program: 'flood.sh' }, { programDir }, log)
  assert.equal(outcome.result?.lines, 200_004)
  assert.equal(log.filter(({ step }) => step === 'stdout').length, 1000)
  assert.equal(log.at(-1)?.message, '199004 further lines of output were left out')
  const last = outcome.result?.last_lines
  assert.ok(Array.isArray(last))
  assert.equal(last.length, 20)
  assert.deepEqual(last.slice(-3), ['red\tand nul', '100%', 'no end'])
  assert.equal(String(last.at(-4)).length, 2001)
})

test('a check says whether the program is there', posix, async (t) => {
  const { programDir } = await folderWith(t, { 'say.sh': '#!/bin/sh\n' })
  const { isOk, message } = await checkJob(program, { program: 'say.sh' }, { programDir })
  assert.equal(isOk, true)
  assert.match(message, /say\.sh is there and executable on test-host$/)
  await assert.rejects(checkJob(program, { program: 'gone.sh' }, { programDir }), { code: 'program_not_found' })
})

test('args that are no program, no texts, or reach for loaders and secrets are refused', () => {
  const environments = [
    { LD_PRELOAD: 'x' },
    { PATH: '/tmp' },
    { ROTA_SECRET_KEY: 'x' },
    { DB_PASSWORD: 'x' },
    { 'A B': 'x' },
    { A: 1 },
    'A=b',
    ['A'],
  ]
  for (const args of [
    {},
    { program: 1 },
    { program: 'x', arguments: 'a b' },
    { program: 'x', arguments: [1] },
    { program: 'x', arguments: ['\0'] },
  ]) {
    assert.throws(() => program.prepare(args), { code: 'args_invalid' }, JSON.stringify(args))
  }
  for (const environment of environments)
    assert.throws(() => program.prepare({ program: 'x', environment }), { code: 'args_invalid' }, JSON.stringify(environment))
})

async function folderWith(t: TestContext, files: Record<string, string>) {
  const programDir = await mkdtemp(join(tmpdir(), 'rota-programs-'))
  t.after(() => rm(programDir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(programDir, name), text, { mode: 0o755 })
  /** Process numbers that the program has written to files. */
  const pidsIn = async (...names: string[]): Promise<number[]> => {
    const pids: number[] = []
    await until(async () => {
      const texts = await Promise.all(names.map((name) => readFile(join(programDir, name), 'utf8').catch(() => '')))
      pids.splice(0, pids.length, ...texts.map(Number))
      return texts.every((text) => text.endsWith('\n'))
    })
    return pids
  }
  return { programDir, pidsIn }
}

/** On Linux until the guard is seen; elsewhere there is nothing to look at. */
async function guardStarted(worker: ChildProcess): Promise<void> {
  if (process.platform !== 'linux') return
  const children = `/proc/${worker.pid}/task/${worker.pid}/children`
  await until(async () => {
    const pids = (await readFile(children, 'utf8')).trim().split(' ')
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
    return lines.some((line) => line.includes('rota-guard'))
  })
}

async function until(isReached: () => Promise<boolean>): Promise<void> {
  while (!(await isReached())) await new Promise((resolve) => setImmediate(resolve))
}
