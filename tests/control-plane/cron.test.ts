import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase, type Query } from '../helpers/database.ts'

test('check_cron answers the line tidied up', async (t) => {
  const { query } = await freshDatabase(t)
  for (const [cron, tidy] of [
    ['  30\t6  * * mon-Fri ', '30 6 * * MON-FRI'],
    ['0 0 l jan,FEB 5l', '0 0 L JAN,FEB 5L'],
    ['\t@Hourly ', '@hourly'],
    ['@EVERY  1H30M', '@every 1h30m'],
    ['@Always', '@always'],
  ]) {
    assert.deepEqual(await query('select dba.check_cron($1) tidy', [cron]), [{ tidy }])
  }
})

test('every form of the grammar fires when it says', async (t) => {
  const { query } = await freshDatabase(t)
  for (const [cron, from, ...expected] of [
    ['20 6 * * *', '2026-11-23 06:20:00', '2026-11-24 06:20:00', '2026-11-25 06:20:00'],
    ['30 20 6 * * *', '2026-11-23 06:20:29', '2026-11-23 06:20:30', '2026-11-24 06:20:30'],
    ['*/20 * * * *', '2026-11-23 23:30:00', '2026-11-23 23:40:00', '2026-11-24 00:00:00'],
    ['50-58/4 8 * * *', '2026-11-23 00:00:00', '2026-11-23 08:50:00', '2026-11-23 08:54:00', '2026-11-23 08:58:00', '2026-11-24 08:50:00'],
    [
      '0 22-23,0-1 * * *',
      '2026-11-23 22:30:00',
      '2026-11-23 23:00:00',
      '2026-11-24 00:00:00',
      '2026-11-24 01:00:00',
      '2026-11-24 22:00:00',
    ],
    ['05 007 1 jan,Jul *', '2026-11-23 00:00:00', '2027-01-01 07:05:00', '2027-07-01 07:05:00'],
    ['0 0 1 JAN-MAR/2 *', '2026-11-23 00:00:00', '2027-01-01 00:00:00', '2027-03-01 00:00:00', '2028-01-01 00:00:00'],
    ['0 0 L * *', '2027-01-15 00:00:00', '2027-01-31 00:00:00', '2027-02-28 00:00:00', '2027-03-31 00:00:00'],
    ['0 0 15,L 2 *', '2028-02-01 00:00:00', '2028-02-15 00:00:00', '2028-02-29 00:00:00', '2029-02-15 00:00:00'],
    ['0 0 * * 1#2', '2026-11-01 00:00:00', '2026-11-09 00:00:00', '2026-12-14 00:00:00'],
    ['0 0 * * FRI#5', '2026-11-01 00:00:00', '2027-01-29 00:00:00', '2027-04-30 00:00:00'],
    ['0 0 * * 5L', '2026-11-01 00:00:00', '2026-11-27 00:00:00', '2026-12-25 00:00:00'],
    ['0 0 * * sunL,7#1', '2026-11-02 00:00:00', '2026-11-29 00:00:00', '2026-12-06 00:00:00', '2026-12-27 00:00:00'],
    ['0 0 * * 5-7', '2026-11-23 00:00:00', '2026-11-27 00:00:00', '2026-11-28 00:00:00', '2026-11-29 00:00:00', '2026-12-04 00:00:00'],
    ['0 0 * * FRI-SUN', '2026-11-23 00:00:00', '2026-11-27 00:00:00', '2026-11-28 00:00:00', '2026-11-29 00:00:00', '2026-12-04 00:00:00'],
    ['0 0 * * SUN-TUE', '2026-11-23 00:00:00', '2026-11-24 00:00:00', '2026-11-29 00:00:00'],
    ['0 0 * * 0', '2026-11-23 00:00:00', '2026-11-29 00:00:00', '2026-12-06 00:00:00'],
    ['0 0 * * 7', '2026-11-23 00:00:00', '2026-11-29 00:00:00', '2026-12-06 00:00:00'],
    ['0 0 29 2 *', '2026-11-23 00:00:00', '2028-02-29 00:00:00', '2032-02-29 00:00:00'],
    ['0 0 * 2 1#5', '2026-11-23 00:00:00', '2044-02-29 00:00:00', '2072-02-29 00:00:00', '2112-02-29 00:00:00'],
    ['@hourly', '2026-11-23 23:30:00', '2026-11-24 00:00:00', '2026-11-24 01:00:00'],
    ['@daily', '2026-11-23 00:00:00', '2026-11-24 00:00:00'],
    ['@midnight', '2026-11-23 00:00:00', '2026-11-24 00:00:00'],
    ['@weekly', '2026-11-23 00:00:00', '2026-11-29 00:00:00'],
    ['@monthly', '2026-11-23 00:00:00', '2026-12-01 00:00:00'],
    ['@yearly', '2026-11-23 00:00:00', '2027-01-01 00:00:00'],
    ['@annually', '2026-11-23 00:00:00', '2027-01-01 00:00:00'],
    ['@every 90s', '1970-01-01 00:00:00', '1970-01-01 00:01:30', '1970-01-01 00:03:00'],
    ['@every 1h30m', '2026-11-23 00:00:01', '2026-11-23 01:30:00', '2026-11-23 03:00:00'],
    ['@every 2 hours', '2026-11-23 01:59:59', '2026-11-23 02:00:00', '2026-11-23 04:00:00'],
    ['@every 7 days', '1969-12-30 00:00:00', '1970-01-01 00:00:00', '1970-01-08 00:00:00'],
    ['@always', '2026-11-23 00:00:00'],
  ] as const) {
    assert.deepEqual(await nextFires(query, cron, from, Math.max(1, expected.length)), expected, cron)
  }
})

test('day of month and weekday both restricted fire on either, a bare star leaves it to the other', async (t) => {
  const { query } = await freshDatabase(t)
  const days = async (cron: string) => (await nextFires(query, cron, '2026-11-01 12:00:00', 6)).map((fire) => Number(fire.slice(8, 10)))
  assert.deepEqual(await days('0 0 13 * 5'), [6, 13, 20, 27, 4, 11])
  assert.deepEqual(await days('0 0 * * 5'), [6, 13, 20, 27, 4, 11])
  assert.deepEqual(await days('0 0 13 * *'), [13, 13, 13, 13, 13, 13])
  assert.deepEqual(await days('0 0 L * 5'), [6, 13, 20, 27, 30, 4])
  assert.deepEqual(await days('0 0 */10 * 5'), [6, 11, 13, 20, 21, 27])
  assert.deepEqual(await days('0 0 30 2 1'), [1, 8, 15, 22, 7, 14])
})

test('cron_between starts after from_at, ends with to_at, and keeps to max_fires', async (t) => {
  const { query } = await freshDatabase(t)
  const between = async (from: string, to: string, most: number | null) => {
    const rows = await query<{ fire: string }>(
      `select to_char(f, 'HH24:MI') fire from dba.cron_between('*/30 * * * *', 'UTC', $1, $2, max_fires => $3) f`,
      [from, to, most],
    )
    return rows.map((row) => row.fire)
  }
  assert.deepEqual(await between('2026-11-23 06:00Z', '2026-11-23 07:00Z', null), ['06:30', '07:00'])
  assert.deepEqual(await between('2026-11-23 05:59:59.999999Z', '2026-11-23 06:59:59.999999Z', null), ['06:00', '06:30'])
  assert.deepEqual(await between('2026-11-23 06:00Z', '2026-11-23 12:00Z', 3), ['06:30', '07:00', '07:30'])
  assert.deepEqual(await between('2026-11-23 06:00Z', 'infinity', 1), ['06:30'])
  assert.deepEqual(await between('2026-11-23 06:00Z', '2026-11-23 06:00Z', null), [])
  assert.deepEqual(await between('2026-11-23 06:00Z', '2026-11-22 06:00Z', null), [])
  assert.deepEqual(await between('infinity', 'infinity', 1), [])
  assert.deepEqual(await between('2026-11-23 06:00Z', '2026-11-23 07:00Z', 0), [])
})

test('fires without an end are not listed', async (t) => {
  const { query } = await freshDatabase(t)
  await assert.rejects(query(`select dba.cron_between('* * * * *', 'UTC', now(), 'infinity')`), {
    code: '22023',
    message: 'fires without an end cannot be listed',
    hint: 'Give to_at, or say how many you want: max_fires => 5.',
  })
  await assert.rejects(query(`select dba.cron_count('* * * * *', 'UTC', now(), 'infinity')`), {
    code: '22023',
    message: 'fires without an end cannot be counted',
  })
})

test('cron_between lists what repeated cron_next finds, through both changes of the clock', async (t) => {
  const { query } = await freshDatabase(t)
  const rows = await query<{ same: boolean }>(
    `with recursive line as (
       select * from unnest($1::text[]) cron, unnest(array['first', 'last', 'both']) fold, unnest(array['shift', 'skip']) gap,
                     (values ('2026-03-27'::timestamptz, '2026-04-03'::timestamptz), ('2026-10-23', '2026-10-30')) week (from_at, to_at)
     ), step as (
       select line.*, dba.cron_next(cron, 'Europe/Warsaw', from_at, gap, fold) fire from line
       union all
       select cron, fold, gap, from_at, to_at, dba.cron_next(cron, 'Europe/Warsaw', fire, gap, fold) from step where fire <= to_at
     )
     select   cron, fold, gap, from_at,
              coalesce(array_agg(fire order by fire) filter (where fire <= to_at), '{}')
              = array(select dba.cron_between(cron, 'Europe/Warsaw', from_at, to_at, gap, fold)) as same
     from     step
     group by cron, fold, gap, from_at, to_at`,
    [['30 2 * * *', '15 */2 * * *', '0 0,2,3 * 3,10 *', '30 2 * * 7L', '*/20 1-3 25-30 3,10 *', '@every 11h']],
  )
  assert.equal(rows.length, 72)
  assert.deepEqual(
    rows.filter((row) => !row.same),
    [],
  )
})

test('cron_count counts what cron_between lists', async (t) => {
  const { query } = await freshDatabase(t)
  const rows = await query(
    `select cron, zone, from_at, to_at, fold, gap
     from   unnest($1::text[]) cron, unnest(array['UTC', 'Europe/Warsaw', 'Australia/Lord_Howe', 'Pacific/Apia']) zone,
            (values ('2011-03-26 23:30Z'::timestamptz, '2012-01-02 10:59:59.5Z'::timestamptz), ('2026-10-24 23:59:59Z', '2026-10-25 00:30Z'), ('2026-10-25 00:30:00.25Z', '2027-03-28 01:00Z')) span (from_at, to_at),
            (values ('shift', 'first'), ('skip', 'last'), ('shift', 'both')) dst (gap, fold)
     where  dba.cron_count(cron, zone, from_at, to_at, gap, fold) <> (select count(*) from dba.cron_between(cron, zone, from_at, to_at, gap, fold))`,
    [['30 2 * * *', '*/7 * * * *', '5,35 1-3 * * 6,7', '0 0 30 12 *', '10 */15 2 */2 * *', '@every 7m', '@always']],
  )
  assert.deepEqual(rows, [])
})

test('a schedule of every second has 86,400 fires a day, 3,600 more or less when the clock changes', async (t) => {
  const { query } = await freshDatabase(t)
  for (const [day, next, fires] of [
    ['2026-11-23', '2026-11-24', 86_400],
    ['2026-03-29', '2026-03-30', 82_800],
    ['2026-10-25', '2026-10-26', 90_000],
  ]) {
    const [counted] = await query(
      `select dba.cron_count('* * * * * *', zone, from_at, to_at)::integer counted, (select count(*)::integer from dba.cron_between('* * * * * *', zone, from_at, to_at)) listed
       from   (select 'Europe/Warsaw' zone, $1::timestamp at time zone 'Europe/Warsaw' from_at, $2::timestamp at time zone 'Europe/Warsaw' to_at) span`,
      [day, next],
    )
    assert.deepEqual(counted, { counted: fires, listed: fires })
  }
})

test('an unknown zone, dst_gap or dst_fold is refused with a hint', async (t) => {
  const { query } = await freshDatabase(t)
  const zoneHint = 'Write an IANA name, for example Europe/Warsaw; select time_zone from dba.timezone lists them.'
  for (const call of [
    `dba.cron_next('@daily', 'Mars/Olympus')`,
    `dba.cron_count('@daily', 'Mars/Olympus', now(), now())`,
    `dba.local_time_text(now(), 'Mars/Olympus')`,
  ]) {
    await assert.rejects(query(`select ${call}`), { code: '22023', message: 'time zone "Mars/Olympus" is not known', hint: zoneHint }, call)
  }
  await assert.rejects(query(`select dba.cron_next('@daily', repeat('x', 1000000))`), {
    code: '22023',
    message: `time zone "${'x'.repeat(60)}" is not known`,
  })
  await assert.rejects(query(`select dba.cron_next('@daily', '')`), { code: '22023', message: 'time zone "" is not known' })
  await assert.rejects(query(`select dba.cron_next('@daily', dst_gap => 'first')`), {
    code: '22023',
    message: 'dst_gap "first" is not known',
  })
  await assert.rejects(query(`select dba.cron_next('@daily', dst_fold => 'shift')`), {
    code: '22023',
    message: 'dst_fold "shift" is not known',
  })
})

test('everything but the line has a default: UTC, from now on', async (t) => {
  const { query } = await freshDatabase(t)
  const [row] =
    await query(`select dba.cron_next('0 0 * * *') = date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' + interval '1 day'
                                    or date_trunc('day', clock_timestamp()) <> date_trunc('day', now()) as midnight`)
  assert.deepEqual(row, { midnight: true })
})

test('local_time_text reads as a person writes it, and says which of two equal times it is', async (t) => {
  const { query } = await freshDatabase(t)
  for (const [at, zone, text] of [
    ['2026-11-23 05:20Z', 'Europe/Warsaw', 'Mon 2026-11-23 06:20 Europe/Warsaw'],
    ['2026-11-23 05:20:07.9Z', 'UTC', 'Mon 2026-11-23 05:20:07 UTC'],
    ['2026-11-23 05:20:00.9Z', 'UTC', 'Mon 2026-11-23 05:20 UTC'],
    ['2026-10-24 23:59:59Z', 'Europe/Warsaw', 'Sun 2026-10-25 01:59:59 Europe/Warsaw'],
    ['2026-10-25 00:30Z', 'Europe/Warsaw', 'Sun 2026-10-25 02:30 Europe/Warsaw (+02:00)'],
    ['2026-10-25 01:30Z', 'Europe/Warsaw', 'Sun 2026-10-25 02:30 Europe/Warsaw (+01:00)'],
    ['2026-10-25 02:00Z', 'Europe/Warsaw', 'Sun 2026-10-25 03:00 Europe/Warsaw'],
    ['2026-11-01 06:30Z', 'America/New_York', 'Sun 2026-11-01 01:30 America/New_York (-05:00)'],
    ['2026-04-04 14:45Z', 'Australia/Lord_Howe', 'Sun 2026-04-05 01:45 Australia/Lord_Howe (+11:00)'],
    ['2026-04-04 15:15Z', 'Australia/Lord_Howe', 'Sun 2026-04-05 01:45 Australia/Lord_Howe (+10:30)'],
    ['infinity', 'UTC', 'infinity'],
  ]) {
    assert.deepEqual(await query('select dba.local_time_text($1, $2) text', [at, zone]), [{ text }])
  }
})

/** The four fields of the refusal of a line; all undefined when it was accepted. */
async function nextFires(query: Query, cron: string, from: string, most: number): Promise<string[]> {
  const rows = await query<{ fire: string }>(
    `select to_char(f at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') fire from dba.cron_between($1, 'UTC', $2::timestamp at time zone 'UTC', max_fires => $3) f`,
    [cron, from, most],
  )
  return rows.map((row) => row.fire)
}
