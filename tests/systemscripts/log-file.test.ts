import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LogFileOptions, type LogLine, openLogFile } from '../../systemscripts/log-file.ts'

test('an entry is one line with time, level, worker, run, schedule, message and data', async (t) => {
  const { options, read } = await logFolder(t)
  const log = openLogFile(options)
  log.write(entry({ message: 'Reading file', data: { file: 'a.csv', size_bytes: 12 } }))
  log.write(entry({ message: 'Worker started', runId: null, schedule: null, level: 'warning' }))
  await log.close()
  assert.deepEqual(await read(), [
    '2026-11-22T06:20:00.000Z info    host-1 0f8fad5b "prices" Reading file {"file":"a.csv","size_bytes":12}',
    '2026-11-22T06:20:00.000Z warning host-1 - - Worker started',
  ])
})

test('a message cannot forge an entry, and data that is no JSON does not throw', async (t) => {
  const { options, read } = await logFolder(t)
  const log = openLogFile(options)
  const circle: Record<string, unknown> = {}
  circle.self = circle
  log.write(entry({ message: 'one\r\ntwo\u2028three\u0085\u001b[31m' }))
  log.write(entry({ message: 'odd', data: { big: 1n } }))
  log.write(entry({ message: 'odder', data: circle }))
  await log.close()
  const lines = await read()
  assert.equal(lines.length, 3)
  assert.match(lines[0] ?? '', /one\\r\\ntwo\\u2028three\\u0085\\u001b\[31m$/)
  assert.match(lines[1] ?? '', /\{"big":"1"\}$/)
  assert.match(lines[2] ?? '', /unprintable/)
})

test('lines below the level are left out and secrets are masked', async (t) => {
  const { options, read } = await logFolder(t)
  const log = openLogFile({ ...options, level: 'warning', redact: (text) => text.replaceAll('hunter2', '***') })
  log.write(entry({ message: 'quiet' }))
  log.write(entry({ message: 'loud hunter2', level: 'error', data: { password: 'hunter2' } }))
  await log.close()
  const lines = await read()
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /loud \*\*\* \{"password":"\*\*\*"\}$/)
})

test('a full file is put aside, and the oldest of five goes', async (t) => {
  const { options, folder, read } = await logFolder(t)
  for (let batch = 0; batch < 8; batch += 1) {
    const log = openLogFile({ ...options, sizeBytes: 1000 })
    for (let line = 0; line < 20; line += 1) log.write(entry({ message: `batch ${batch} line ${line}` }))
    await log.close()
  }
  assert.deepEqual((await readdir(folder)).sort(), ['rota.log', 'rota.log.1', 'rota.log.2', 'rota.log.3', 'rota.log.4'])
  assert.match((await read())[0] ?? '', /batch 7 line 0$/)
  assert.match(await readFile(join(folder, 'rota.log.4'), 'utf8'), /batch 3 line 0/)
})

test('several workers share a folder and lose no line', async (t) => {
  const { options, folder } = await logFolder(t)
  const logs = Array.from({ length: 4 }, () => openLogFile(options))
  for (let line = 0; line < 500; line += 1)
    for (const [worker, log] of logs.entries()) log.write(entry({ message: `worker ${worker} line ${line}` }))
  await Promise.all(logs.map((log) => log.close()))
  const lines = (await readFile(join(folder, 'rota.log'), 'utf8')).trimEnd().split('\n')
  assert.equal(new Set(lines).size, 2000)
})

test('a folder that is deleted while running is made again', async (t) => {
  const { options, folder, read } = await logFolder(t)
  const log = openLogFile(options)
  log.write(entry({ message: 'before' }))
  await fileAppears(join(folder, 'rota.log'))
  await rm(folder, { recursive: true })
  log.write(entry({ message: 'after' }))
  await log.close()
  assert.match((await read()).at(-1) ?? '', /after$/)
})

test('trouble is told once, and the lines that waited are written when it is over', async (t) => {
  const { options, folder, read } = await logFolder(t)
  await writeFile(folder, 'a file where the folder should be')
  const told: string[] = []
  const over = Promise.withResolvers<void>()
  const complain = (line: string) => {
    told.push(line)
    if (/written again/.test(line)) over.resolve()
    else void rm(folder)
  }
  const log = openLogFile({ ...options, complain, retrySeconds: 0.05 })
  log.write(entry({ message: 'first' }))
  log.write(entry({ message: 'second' }))
  await over.promise
  await log.close()
  assert.equal(told.length, 2)
  assert.match(told[0] ?? '', /cannot be written, and is tried again/)
  assert.match((await read()).join('\n'), /first[\s\S]*second/)
})

test('closing ends although the file cannot be written', async (t) => {
  const { options, folder } = await logFolder(t)
  await writeFile(folder, '')
  const log = openLogFile({ ...options, complain: () => {}, retrySeconds: 1000 })
  log.write(entry({ message: 'lost' }))
  await log.close()
  await log.close()
  log.write(entry({ message: 'too late' }))
})

function entry(given: Partial<LogLine>): LogLine {
  return {
    at: new Date('2026-11-22T06:20:00Z'),
    level: 'info',
    worker: 'host-1',
    runId: '0f8fad5b-d9cb-469f-a165-70867728950e',
    schedule: 'prices',
    message: '',
    ...given,
  }
}

async function logFolder(t: { after(end: () => Promise<void>): void }) {
  const parent = await mkdtemp(join(tmpdir(), 'rota-log-'))
  t.after(() => rm(parent, { recursive: true, force: true }))
  const folder = join(parent, 'logs')
  const options: LogFileOptions = { folder, level: 'debug', redact: (text) => text }
  const read = async () => (await readFile(join(folder, 'rota.log'), 'utf8')).trimEnd().split('\n')
  return { options, folder, read }
}

async function fileAppears(path: string): Promise<void> {
  for (;;) {
    const size = await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
    if (size > 0) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}
