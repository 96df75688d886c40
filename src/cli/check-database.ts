import { type AnswerRow, readAnswers } from '../control-plane/overview.ts'
import type { Secrets } from '../control-plane/secrets.ts'
import { readMigrations } from '../db/migration-files.ts'
import type { MigrationRow } from '../db/row-types.ts'
import { hasKey } from './check-machine.ts'
import type { Call } from './command.ts'
import { type Finding, look } from './finding.ts'
import { type Database, withDatabase } from './open-database.ts'
import { withSecrets } from './open-secrets.ts'

/** Connection, roles, schema, jobs, secrets, and what workers answered. Without a connection the rest is not looked at. */
export async function checkDatabase(call: Call): Promise<Finding[]> {
  return look('connection', () =>
    withDatabase(call, async (database) => [
      ...(await look('connection', () => checkConnection(database))),
      ...(await look('roles', () => checkRoles(database))),
      ...(await look('schema', () => checkSchema(database))),
      ...(await look('jobs', () => checkJobs(call, database))),
      ...(await look('secrets', () => checkSecrets(call))),
      ...(await look('schedules', async () => judgeAnswers('schedule', await readAnswers(database)))),
      ...(await look('connections', async () => judgeAnswers('connection', await readAnswers(database)))),
    ]),
  )
}

async function checkConnection({ query }: Database): Promise<Finding> {
  const [found] = await query<{ version: string; login: string; place: string; is_home: boolean }>(
    `select current_setting('server_version') as version, session_user as login,
            format('%s on %s', current_database(), coalesce(host(inet_server_addr()) || ':' || inet_server_port(), 'this machine')) as place,
            dba.is_home() as is_home`,
  )
  const message = `PostgreSQL ${found?.version}, database ${found?.place}, as ${found?.login}`
  if (found?.is_home === true) return { state: 'ok', what: 'connection', message }
  return {
    state: 'note',
    what: 'connection',
    message: `${message}; nothing fires here`,
    hint: `It is a restored copy, or switched off. To make it the live one: update dba.setting set value = 'true' where name = 'is_live';`,
  }
}

async function checkRoles({ query }: Database): Promise<Finding> {
  const [found] = await query<{ login: string; missing: string[]; not_member: string[] }>(
    `select session_user as login,
            array(select r from unnest($1::text[]) r where to_regrole(r) is null) as missing,
            array(select r from unnest('{rota_worker,rota_dba}'::text[]) r where to_regrole(r) is not null and not pg_has_role(session_user, r, 'member')) as not_member`,
    [['rota_owner', 'rota_worker', 'rota_target', 'rota_query', 'rota_job', 'rota_dba', 'rota_operator', 'rota_reader']],
  )
  const { login = '', missing = [], not_member: notMember = [] } = found ?? {}
  if (missing.length > 0) {
    return {
      state: 'wrong',
      what: 'roles',
      message: `Missing: ${missing.join(', ')}`,
      hint: 'Run "npx rota migrate" with a login that may make roles.',
    }
  }
  if (notMember.includes('rota_worker')) {
    const hint = `For workers and secrets: grant rota_worker to "${login}". To look only, this login is enough.`
    return { state: 'note', what: 'roles', message: `"${login}" cannot become ${notMember.join(' or ')}`, hint }
  }
  return { state: 'ok', what: 'roles', message: 'all there' }
}

async function checkSchema({ query }: Database): Promise<Finding> {
  const applied = new Map(
    (await query<Pick<MigrationRow, 'name' | 'checksum'>>('select name, checksum from dba.migration')).map(({ name, checksum }) => [
      name,
      checksum,
    ]),
  )
  const files = readMigrations()
  const pending = files.filter(({ name }) => !applied.has(name)).map(({ name }) => name)
  const changed = files.filter(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum).map(({ name }) => name)
  const unknown = [...applied.keys()].filter((name) => files.every((file) => file.name !== name))
  if (unknown.length > 0) {
    return {
      state: 'wrong',
      what: 'schema',
      message: `The database is newer: ${unknown.join(', ')}`,
      hint: 'Update this checkout of Rota.',
    }
  }
  if (changed.length > 0) {
    const hint = 'Put the file back as it was, and write the change as a new migration.'
    return { state: 'wrong', what: 'schema', message: `Changed after it was applied: ${changed.join(', ')}`, hint }
  }
  if (pending.length > 0)
    return { state: 'wrong', what: 'schema', message: `Not applied: ${pending.join(', ')}`, hint: 'Run "npx rota migrate".' }
  return { state: 'ok', what: 'schema', message: `up to date, ${applied.size} ${applied.size === 1 ? 'migration' : 'migrations'}` }
}

async function checkJobs({ deps }: Call, { query }: Database): Promise<Finding[]> {
  const differences = await deps.compareJobs(query)
  if (differences.length === 0) return [{ state: 'ok', what: 'jobs', message: 'folder jobs/ and dba.job agree' }]
  return differences.map((message) => ({ state: 'wrong', what: 'jobs', message }))
}

/** Opens every secret, and shows none. */
async function checkSecrets(call: Call): Promise<Finding[]> {
  if (!(await hasKey(call))) return [{ state: 'note', what: 'secrets', message: 'not looked at: this machine has no key' }]
  return withSecrets(call, async (secrets) => {
    const names = (await secrets.list()).map(({ secret_name }) => secret_name)
    const found: Finding[] = []
    for (const name of names) found.push(...(await look('secret', () => openSecret(secrets, name))))
    if (found.length > 0) return found
    return [
      { state: 'ok', what: 'secrets', message: names.length === 0 ? 'none' : `${names.length} can be opened with the key of this machine` },
    ]
  })
}

async function openSecret(secrets: Secrets, name: string): Promise<Finding[]> {
  await secrets.get(name)
  return []
}

function judgeAnswers(kind: 'schedule' | 'connection', rows: AnswerRow[]): Finding[] {
  const answers = rows.filter((row) => row.kind === kind)
  const wrong = answers.filter(({ state }) => state === 'invalid' || state === 'failed')
  const unchecked = answers.filter(({ state }) => state === 'unchecked' || state === 'asked')
  const what = `${kind}s`
  const found: Finding[] = wrong.map(({ name, message }) => ({
    state: 'wrong',
    what: kind,
    message: `"${name}": ${message ?? 'it is not right'}`,
  }))
  if (unchecked.length > 0) {
    const message = `${unchecked.length} not looked at yet, such as "${unchecked[0]?.name}"`
    found.push({ state: 'note', what, message, hint: 'A live worker of the lane answers within a second.' })
  }
  if (found.length === 0) found.push({ state: 'ok', what, message: answers.length === 0 ? 'none' : `all ${answers.length} are right` })
  return found
}
