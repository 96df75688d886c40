import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { freshDatabase, type Session } from '../helpers/database.ts'

let dba: Session
const ends: (() => Promise<void>)[] = []

before(async () => {
  const database = await freshDatabase({ after: (end) => void ends.push(end) })
  dba = await database.as('rota_dba')
  await dba.query(
    `insert into dba.connection (connection_name, kind, host) values ('warehouse', 'postgres', 'localhost'), ('mail', 'smtp', 'localhost')`,
  )
})

after(async () => {
  for (const end of ends) await end()
})

const right: [job: string, args: unknown][] = [
  ['noop', {}],
  ['noop', { seconds: 0.5, fail: 'message', fail_permanently: true, note: 'x' }],
  ['noop', { fail: false }],
  ['sql', { statement: 'select 1' }],
  ['sql', { statement: 'vacuum', in_transaction: false, connection: 'warehouse' }],
  ['sql', { statement: 'select 1', connection: null }],
  ['program', { program: 'a/b.sh' }],
  ['program', { program: 'a..b', arguments: ['--x', ''], environment: { REGION: 'north' } }],
]

const wrong: [job: string, args: unknown, message: RegExp, hint: RegExp][] = [
  ['noop', { seconds: '5' }, /^args.seconds of job "noop" is 5$/, /a number from 0.*\{"seconds": 5\}/],
  ['noop', { seconds: -1 }, /args.seconds/, /a number from 0/],
  ['noop', { seconds: null }, /args.seconds/, /a number from 0/],
  ['noop', { fail: 1 }, /args.fail of/, /true or a message/],
  ['noop', { sekonds: 1 }, /takes no args key "sekonds"/, /Did you mean "seconds"/],
  ['sql', {}, /^job "sql" needs args.statement$/, /It must be SQL/],
  ['sql', { statement: ' ;\n' }, /args.statement/, /It must be SQL/],
  ['sql', { statement: ['select 1'] }, /args.statement/, /It must be SQL/],
  ['sql', { statement: 'select 1', in_transaction: 'no' }, /args.in_transaction/, /true or false/],
  ['sql', { statement: 'select 1', connection: 'warehose' }, /^no connection "warehose"$/, /Did you mean "warehouse"/],
  ['sql', { statement: 'select 1', connection: 'mail' }, /^connection "mail" is of kind smtp$/, /There is: "warehouse"/],
  ['sql', { statement: 'select 1', connection: 7 }, /args.connection/, /row of dba.connection/],
  ['program', {}, /needs args.program/, /ROTA_PROGRAM_DIR/],
  ['program', { program: '/bin/sh' }, /"\/bin\/sh" does not stay inside/, /relative to that folder/],
  ['program', { program: 'C:\\x.exe' }, /does not stay inside/, /relative to that folder/],
  ['program', { program: 'a/../../b' }, /does not stay inside/, /relative to that folder/],
  ['program', { program: 'x', arguments: '--dry-run' }, /args.arguments/, /an array of texts/],
  ['program', { program: 'x', arguments: [1] }, /args.arguments/, /an array of texts/],
  ['program', { program: 'x', environment: ['A'] }, /args.environment/, /an object of texts/],
  ['program', { program: 'x', environment: { A: 1 } }, /args.environment/, /an object of texts/],
  ['program', { program: 'x', environment: { 'A B': '1' } }, /"A B" is no name/, /letters, digits/],
  ['program', { program: 'x', environment: { LD_PRELOAD: '/tmp/x.so' } }, /may not set LD_PRELOAD/, /from a file of its own/],
  ['program', { program: 'x', environment: { db_password: 'x' } }, /may not set db_password/, /secrets/],
]

for (const [job, args] of right) {
  test(`job ${job} takes ${JSON.stringify(args)}`, async () => {
    await insertSchedule(job, args)
  })
}

for (const [job, args, message, hint] of wrong) {
  test(`job ${job} refuses ${JSON.stringify(args)} at the row`, async () => {
    await assert.rejects(insertSchedule(job, args), { message, hint })
  })
}

test('a request may override part of the args, and is judged by what the run would get', async () => {
  await insertSchedule('sql', { statement: 'select 1' }, 'overridden')
  await dba.query(`insert into dba.run (schedule_name, args) values ('overridden', '{"in_transaction": false}')`)
  await assert.rejects(dba.query(`insert into dba.run (schedule_name, args) values ('overridden', '{"statement": ""}')`), {
    message: /args.statement/,
  })
})

let made = 0

async function insertSchedule(job: string, args: unknown, name = `schedule ${made}`): Promise<void> {
  made += 1
  await dba.query('insert into dba.scheduler (schedule_name, job, args) values ($1, $2, $3)', [name, job, JSON.stringify(args)])
}
