import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Call } from './command.ts'
import { type Finding, look } from './finding.ts'

/** Environment, folders and key file of this machine. */
export async function checkMachine(call: Call): Promise<Finding[]> {
  return [
    ...(await look('environment', () => checkEnvironment(call))),
    ...(await look('data folder', () => checkDataDir(call.config().dataDir))),
    ...(await look('key', () => checkKey(call))),
    ...(await look('program folder', () => checkProgramDir(call.config().programDir))),
  ]
}

function checkEnvironment(call: Call): Finding {
  const { lanes, concurrency, databaseUrl, logLevel } = call.config()
  const database = databaseUrl === undefined ? 'embedded Postgres' : 'DATABASE_URL'
  return {
    state: 'ok',
    what: 'environment',
    message: `${database}, lanes ${lanes.join(', ')}, ${concurrency} runs at once, log level ${logLevel}`,
  }
}

async function checkDataDir(dataDir: string): Promise<Finding> {
  const found = await stat(dataDir).catch(() => null)
  if (found === null) {
    await access(await nearestFolder(dirname(dataDir)), constants.W_OK)
    return { state: 'note', what: 'data folder', message: `${dataDir} is not there yet`, hint: 'npm start makes it.' }
  }
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  return { state: 'ok', what: 'data folder', message: dataDir }
}

async function nearestFolder(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  )
  return isThere || dirname(folder) === folder ? folder : nearestFolder(dirname(folder))
}

/** Whether this machine has a key already; opening secrets would else make one. */
export async function hasKey(call: Call): Promise<boolean> {
  const { secretKey, dataDir } = call.config()
  return secretKey !== undefined || (await stat(keyFile(dataDir)).catch(() => null)) !== null
}

async function checkKey(call: Call): Promise<Finding> {
  const { secretKey, dataDir } = call.config()
  const file = keyFile(dataDir)
  if (secretKey !== undefined) return { state: 'ok', what: 'key', message: 'ROTA_SECRET_KEY' }
  const found = await stat(file).catch(() => null)
  if (found === null)
    return { state: 'note', what: 'key', message: `${file} is not there yet`, hint: 'It is made with the first secret; keep a copy of it.' }
  await access(file, constants.R_OK)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    return { state: 'wrong', what: 'key', message: `${file} can be read by others`, hint: `chmod 600 ${file}` }
  }
  return { state: 'ok', what: 'key', message: file }
}

function keyFile(dataDir: string): string {
  return join(dataDir, 'secret.key')
}

async function checkProgramDir(programDir: string | undefined): Promise<Finding[]> {
  if (programDir === undefined) return [{ state: 'ok', what: 'program folder', message: 'not set: job "program" is refused' }]
  const found = await stat(programDir)
  if (!found.isDirectory())
    return [{ state: 'wrong', what: 'program folder', message: `${programDir} is no folder`, hint: 'Correct ROTA_PROGRAM_DIR.' }]
  return [{ state: 'ok', what: 'program folder', message: programDir }]
}
