// jobs/sql.ts: a second run runs the statement again, so write it such that twice equals once (upsert, delete before insert, where not exists).

import type { Connections } from '../src/job/connections.ts'
import { defineJob } from '../src/job/define-job.ts'
import { PermanentError } from '../systemscripts/errors.ts'
import type { PostgresServer } from '../systemscripts/postgres.ts'
import { noticesAtMost, parseStatement, runStatement } from '../systemscripts/run-statement.ts'

export default defineJob({
  name: 'sql',
  config: readArgs,
  async check({ config, connections, signal }) {
    const server = await findServer(connections, config.connection)
    await parseStatement(config.statement, { server, applicationName, inTransaction: config.inTransaction, signal })
    return { isOk: true, message: `Postgres understands the statement on ${where(config.connection)}` }
  },
  async run({ config, connections, signal, log, stillMine }) {
    const server = await findServer(connections, config.connection)
    log('Running statement', { connection: config.connection, in_transaction: config.inTransaction, characters: config.statement.length })
    const { commands, rowsRead, rowsWritten, notices } = await runStatement(config.statement, {
      server,
      applicationName,
      inTransaction: config.inTransaction,
      signal,
      onNotice: ({ severity, message, detail, hint }) => log(message, { severity, detail, hint }, levelOf(severity)),
      beforeCommit: stillMine,
    })
    if (notices > noticesAtMost) log(`${notices - noticesAtMost} further notices were left out`, {}, { level: 'warning' })
    return {
      rowsRead,
      rowsWritten,
      note: noteOf(commands, rowsRead, rowsWritten, notices),
      result: { commands: commands.slice(0, 100), notices },
    }
  },
})

/** Shown in pg_stat_activity while the statement runs. */
const applicationName = 'rota job sql'

interface SqlArgs {
  statement: string
  /** Null: this database. */
  connection: string | null
  inTransaction: boolean
}

function readArgs({ statement, connection = null, in_transaction: inTransaction = true }: Record<string, unknown>): SqlArgs {
  if (typeof statement !== 'string' || statement.trim() === '') {
    throw new PermanentError('args_invalid', 'Job "sql" needs args.statement', {
      hint: 'Write for example {"statement": "refresh materialized view feeds.daily"}.',
    })
  }
  if (typeof inTransaction !== 'boolean' || (connection !== null && typeof connection !== 'string')) {
    throw new PermanentError('args_invalid', 'args of job "sql" are not right', {
      hint: 'connection is the name of a row of dba.connection, in_transaction is true or false.',
    })
  }
  return { statement, connection, inTransaction }
}

/** This database with the separate login rota_job, since what a person wrote could undo a mere "set role". */
async function findServer(connections: Connections, name: string | null): Promise<PostgresServer | string> {
  if (name === null) return connections.jobDatabaseUrl()
  const facts = await connections.get(name)
  if (facts.kind === 'postgres') return facts
  throw new PermanentError('connection_of_another_kind', `Connection "${name}" is no Postgres`, {
    detail: `Its kind is "${facts.kind}".`,
    hint: 'Name a connection of kind postgres in args.connection, or leave it out for this database.',
  })
}

function where(connection: string | null): string {
  return connection === null ? 'this database, as rota_job' : `connection "${connection}"`
}

function levelOf(severity: string): { level: 'info' | 'warning' | 'debug' } {
  if (severity === 'WARNING') return { level: 'warning' }
  return { level: severity.startsWith('DEBUG') ? 'debug' : 'info' }
}

function noteOf(commands: string[], rowsRead: number, rowsWritten: number, notices: number): string {
  const what = commands.length === 1 ? commands[0] : `${commands.length} statements`
  const counts = [
    `${rowsWritten} rows written`,
    ...(rowsRead > 0 ? [`${rowsRead} rows read`] : []),
    ...(notices > 0 ? [`${notices} notices`] : []),
  ]
  return `${what}: ${counts.join(', ')}`
}
