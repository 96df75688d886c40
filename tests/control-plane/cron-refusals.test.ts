import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError } from 'pg'
import { freshDatabase, type Query } from '../helpers/database.ts'

const fieldIs = (field: string, written: string): string => `Field ${field} is "${written}".`

/** A line, the message after `cron "<line>"`, the detail and the hint. */
const refusals: readonly (readonly [string, string, string, string])[] = [
  ['61 * * * *', ': minute 61 is out of range 0-59', fieldIs('minute', '61'), 'Write 0 to 59.'],
  ['60 0 0 * * *', ': second 60 is out of range 0-59', fieldIs('second', '60'), 'Write 0 for the full one.'],
  ['0 24 * * *', ': hour 24 is out of range 0-23', fieldIs('hour', '24'), 'Write 0 for midnight.'],
  ['0 0 0 * *', ': day-of-month 0 is out of range 1-31', fieldIs('day-of-month', '0'), 'Write 1 to 31.'],
  ['0 0 * 13 *', ': month 13 is out of range 1-12', fieldIs('month', '13'), 'Write 1 to 12.'],
  [
    '0 0 * * 8',
    ': day-of-week 8 is out of range 0-7',
    fieldIs('day-of-week', '8'),
    'Write 0 to 7 (0 and 7 are Sunday) or a name such as MON.',
  ],
  ['50-10 * * * *', ': minute range 50-10 runs backwards', fieldIs('minute', '50-10'), 'Write 50-59,0-10.'],
  ['0 22-2 * * *', ': hour range 22-2 runs backwards', fieldIs('hour', '22-2'), 'Write 22-23,0-2.'],
  ['0 0 * NOV-FEB *', ': month range NOV-FEB runs backwards', fieldIs('month', 'NOV-FEB'), 'Write NOV-DEC,JAN-FEB.'],
  ['0 0 * * FRI-MON', ': day-of-week range FRI-MON runs backwards', fieldIs('day-of-week', 'FRI-MON'), 'Write FRI-SAT,SUN-MON.'],
  ['*/0 * * * *', ': minute step 0 is out of range 1-60', fieldIs('minute', '*/0'), 'A step says every how many, for example */5.'],
  ['0 */25 * * *', ': hour step 25 is out of range 1-24', fieldIs('hour', '*/25'), 'A step says every how many, for example */5.'],
  ['5/15 * * * *', ': minute "5/15" has a step without a range', fieldIs('minute', '5/15'), 'Write 5-59/15 or */15.'],
  [
    '0 0 * * 1#6',
    ': occurrence 6 is out of range 1-5',
    fieldIs('day-of-week', '1#6'),
    'Write 1#1 for the first of the month, 1L for the last.',
  ],
  ['0 0 * * MONDAY', ': day-of-week "MONDAY" is not understood', fieldIs('day-of-week', 'MONDAY'), 'Write names with three letters: MON.'],
  ['0 0 * * L', ': day-of-week "L" is not understood', fieldIs('day-of-week', 'L'), 'Write 5L for the last Friday of the month.'],
  ['0 0 5L * *', ': day-of-month "5L" is not understood', fieldIs('day-of-month', '5L'), 'Write L alone for the last day of the month.'],
  [
    '1,,2 * * * *',
    ': minute "" is not understood',
    fieldIs('minute', '1,,2'),
    'Write one comma between two values, none at the start or the end.',
  ],
  ['/5 * * * *', ': minute "/5" is not understood', fieldIs('minute', '/5'), 'Write */5.'],
  ['JAN * * * *', ': minute "JAN" is not understood', fieldIs('minute', 'JAN'), 'Write a number 0-59.'],
  ['? * * * *', ': character "?" is not understood', 'It is character 1 of the line.', 'Write * instead of ?.'],
  [
    '30 2 30 2 *',
    ' never fires',
    'Day-of-month "30" does not exist in month "2".',
    'Write L for the last day of a month, or another month.',
  ],
  [
    '0 0 31 4,6,9,11 *',
    ' never fires',
    'Day-of-month "31" does not exist in month "4,6,9,11".',
    'Write L for the last day of a month, or another month.',
  ],
  [
    '* * * *',
    ': 4 fields given, 5 or 6 needed',
    'Fields are separated by blanks; there is none for the year.',
    '[second] minute hour day-of-month month day-of-week, for example 30 6 * * MON-FRI',
  ],
  [
    '@reboot',
    ': nickname "@reboot" is not known',
    'A nickname stands alone in the line.',
    'Write @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, @every 90s or @always.',
  ],
  [
    '@every 2 months',
    ': unit "months" is not known',
    'The interval is "2 months".',
    'Write whole numbers with units s, m, h, d or w, for example @every 90s, @every 1h30m or @every 2 hours.',
  ],
  [
    '@every 1.5h',
    ': character "." is not understood',
    'It is character 9 of the line.',
    'Write whole numbers with units, for example @every 90s or @every 1h30m.',
  ],
  [
    '@every 0s',
    ': interval "0s" is shorter than 1 second',
    'An interval is 1 second to 366 days.',
    'Write @every 1s, or @always for a job that runs all the time.',
  ],
  [
    '@every 367d',
    ': interval "367d" is longer than 366 days',
    'An interval is 1 second to 366 days.',
    'Write a calendar line, for example 0 6 1 1 * for each 1 January at 06:00.',
  ],
]

/** Whatever a form, a script or an attacker may put into the column: refused, never an inner error. */
const hostile: readonly string[] = [
  '',
  ' \t ',
  '* '.repeat(500_000),
  `${'9'.repeat(400)} * * * *`,
  `${'9'.repeat(150)} * * * *`,
  `@every ${'9'.repeat(100)}s`,
  '0 0 * * *\n',
  '0 0 * *\r*',
  '0 0 * * *\u00a0',
  '٣ * * * *',
  '１ * * * *',
  '0 0 * ſun *',
  '0 0 * * ſun',
  '0 0 * * mıon',
  '-1 * * * *',
  '1--2 * * * *',
  '1-2-3 * * * *',
  '*-5 * * * *',
  '*/5/2 * * * *',
  '** * * * *',
  ', * * * *',
  '0 0 * * *#2',
  '0 0 * * 1-5#2',
  '0 0 * * 1#2#3',
  '0 0 1#2 * *',
  '0 0 LW * *',
  '0 0 15W * *',
  '0 0 * * +1',
  '0 0 * * * * 2026',
  '@',
  '@every',
  '@every s',
  '@every 90',
  '@every 1h 30',
  '@every -5m',
  '@daily @daily',
  "0 0 * * *'; drop schema dba cascade; --",
]

test('a wrong line is refused with what is wrong, where, and what would be right', async (t) => {
  const { query } = await freshDatabase(t)
  for (const [cron, problem, detail, hint] of refusals) {
    assert.deepEqual(await refusal(query, cron), { code: '22023', message: `cron "${cron}"${problem}`, detail, hint })
  }
})

test('hostile input is refused as a wrong line, never by an inner error', async (t) => {
  const { query } = await freshDatabase(t)
  for (const cron of hostile) {
    const { code, message, hint } = await refusal(query, cron)
    assert.deepEqual(
      { code, named: message?.startsWith('cron "'), hinted: hint !== undefined && hint.length > 0 },
      { code: '22023', named: true, hinted: true },
      cron.slice(0, 60),
    )
    assert.ok((message?.length ?? 0) < 500, cron.slice(0, 60))
  }
})

test('a line longer than 200 characters is named by its beginning and length', async (t) => {
  const { query } = await freshDatabase(t)
  const { message } = await refusal(query, '* '.repeat(500_000))
  assert.equal(message, `cron "${'* '.repeat(20)}...": 1000000 characters given, 200 at most`)
})

test('null is refused by check_cron and has no fires', async (t) => {
  const { query } = await freshDatabase(t)
  await assert.rejects(query('select dba.check_cron(null)'), { code: '22023', message: 'cron "": 0 fields given, 5 or 6 needed' })
  assert.deepEqual(await query('select dba.cron_next(null) fire'), [{ fire: null }])
})

async function refusal(query: Query, cron: string): Promise<Partial<Record<'code' | 'message' | 'detail' | 'hint', string | undefined>>> {
  try {
    await query('select dba.check_cron($1)', [cron])
    return {}
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    const { code, message, detail, hint } = error
    return { code, message, detail, hint }
  }
}

/** The next fires in UTC after a moment in UTC, as text to the second. */
