import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cron } from 'croner'
import fc from 'fast-check'
import { freshDatabase, type Query } from '../helpers/database.ts'

// Croner reads more than our grammar. Left out of what is generated: W and LW, ?, a leading +, the field for the year, blanks other than space
// and tab; n#k and nL on ranges, steps and stars; n#L; a star beside L in day-of-month (croner takes it for a bare star). It also takes a line
// that never fires, where we refuse it: no fire within its horizon counts as its refusal; and it does not look at the end of a range with a step
// (0-24/2 as hours), so none beyond its field is generated.
// DST days are left to cron-dst.test.ts: a list is compared up to its first fire within two days of a change of the offset.

const seed = Number(process.env.ROTA_TEST_SEED ?? 20261123)
const wellFormed = 6_000
const spoilt = 5_000
const zones = [
  'UTC',
  'America/New_York',
  'Europe/Warsaw',
  'Asia/Tokyo',
  'Australia/Sydney',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Africa/Cairo',
  'America/St_Johns',
]

interface Sample {
  cron: string
  zone: string
  from: Date
}

/** What an engine makes of a line: its next five fires in epoch milliseconds, or why it refuses it. */
type Verdict = { refusal: string } | { fires: number[] }

test(`${wellFormed} well-formed lines in ten zones are taken and fire as in croner`, async (t) => {
  const { query } = await freshDatabase(t)
  const samples = fc.sample(sample(line(0)), { seed, numRuns: wellFormed })
  const { taken, firesCompared } = await compare(query, samples)
  assert.ok(taken > wellFormed * 0.97, `${taken} lines were taken`)
  assert.ok(firesCompared > wellFormed * 4, `${firesCompared} fires were compared`)
})

test(`${spoilt} lines, many of them spoilt, are taken or refused as by croner`, async (t) => {
  const { query } = await freshDatabase(t)
  const samples = fc.sample(sample(line(10)), { seed: seed + 1, numRuns: spoilt })
  const { taken } = await compare(query, samples)
  assert.ok(taken > spoilt * 0.2 && taken < spoilt * 0.8, `${taken} lines were taken`)
})

async function compare(query: Query, samples: readonly Sample[]): Promise<{ taken: number; firesCompared: number }> {
  const ours = await verdictsOfPostgres(query, samples)
  let taken = 0
  let firesCompared = 0
  for (const [i, { cron, zone, from }] of samples.entries()) {
    const mine = ours[i] ?? { refusal: 'no answer' }
    const theirs = verdictOfCroner({ cron, zone, from })
    const about = `${JSON.stringify(cron)} in ${zone} after ${from.toISOString()}; seed ${seed}, sample ${i}; ours ${inWords(mine)}; croner ${inWords(theirs)}`
    assert.equal('fires' in mine, 'fires' in theirs, about)
    if (!('fires' in mine && 'fires' in theirs)) continue
    const calm = Math.min(firesBeforeChange(mine.fires, zone), firesBeforeChange(theirs.fires, zone))
    assert.deepEqual(mine.fires.slice(0, calm), theirs.fires.slice(0, calm), about)
    taken += 1
    firesCompared += calm
  }
  return { taken, firesCompared }
}

/** One statement for all of them: a refusal is caught in the database. */
async function verdictsOfPostgres(query: Query, samples: readonly Sample[]): Promise<Verdict[]> {
  await query(`
    create function public.verdict(cron text, time_zone text, from_at timestamptz, out refusal text, out fires float8[]) language plpgsql as $$
    begin
      fires := array(select date_part('epoch', f) * 1000 from dba.cron_between(cron, time_zone, from_at, max_fires => 5) f);
    exception
      when invalid_parameter_value then
        refusal := sqlerrm;
    end $$`)
  const rows = await query<{ refusal: string | null; fires: number[] }>(
    `select   v.refusal, v.fires
     from     unnest($1::text[], $2::text[], $3::timestamptz[]) with ordinality s (cron, zone, from_at, position), public.verdict(cron, zone, from_at) v
     order by position`,
    [samples.map((s) => s.cron), samples.map((s) => s.zone), samples.map((s) => s.from.toISOString())],
  )
  return rows.map(({ refusal, fires }) => (refusal === null ? { fires } : { refusal }))
}

function verdictOfCroner({ cron, zone, from }: Sample): Verdict {
  try {
    const fires = new Cron(cron, { timezone: zone }).nextRuns(5, from).map((fire) => fire.getTime())
    return fires.length === 0 ? { refusal: 'it never fires' } : { fires }
  } catch (error) {
    return { refusal: String(error) }
  }
}

/** How many of the fires come before the first that lies within two days of a change of the zone's offset. */
function firesBeforeChange(fires: readonly number[], zone: string): number {
  const twoDays = 2 * 86_400_000
  const near = fires.findIndex((fire) => offsetName(fire - twoDays, zone) !== offsetName(fire + twoDays, zone))
  return near === -1 ? fires.length : near
}

const formats = new Map<string, Intl.DateTimeFormat>()

function offsetName(at: number, zone: string): string {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset', year: 'numeric' })
    formats.set(zone, format)
  }
  return format.format(at).slice(6)
}

function inWords(verdict: Verdict): string {
  return 'fires' in verdict ? verdict.fires.map((fire) => new Date(fire).toISOString()).join(' ') : `refused: ${verdict.refusal}`
}

function sample(cron: fc.Arbitrary<string>): fc.Arbitrary<Sample> {
  const from = fc.date({ min: new Date('2026-01-01T00:00:00Z'), max: new Date('2027-01-01T00:00:00Z'), noInvalidDate: true })
  return fc.record({ cron, zone: fc.constantFrom(...zones), from })
}

/** @param spoiltPercent how often a single item is spoilt. */
function line(spoiltPercent: number): fc.Arbitrary<string> {
  const months = ['JAN', 'feb', 'MAR', 'APR', 'May', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
  const weekdays = ['SUN', 'mon', 'TUE', 'WED', 'Thu', 'FRI', 'SAT']
  const plain = (low: number, high: number, names: readonly string[] = []) => list(item(low, high, names, spoiltPercent))
  const monthDay = fc.oneof(
    { weight: 8, arbitrary: fc.constant('*') },
    { weight: 8, arbitrary: plain(1, 31) },
    fc.constantFrom('L', 'l', 'L,1', '15,L'),
  )
  const nth = fc
    .tuple(fc.constantFrom('0', '1', '5', '7', 'mon', 'SAT'), fc.constantFrom('#1', '#2', '#5', 'L', 'l'))
    .map((pair) => pair.join(''))
  const weekday = fc.oneof({ weight: 8, arbitrary: fc.constant('*') }, { weight: 8, arbitrary: plain(0, 7, weekdays) }, nth, list(nth))
  const fields = fc.tuple(plain(0, 59), plain(0, 23), monthDay, fc.oneof(fc.constant('*'), plain(1, 12, months)), weekday)
  const withSecond = fc.tuple(plain(0, 59), fields).map(([second, rest]) => [second, ...rest])
  const blank = fc.constantFrom(' ', ' ', ' ', '  ', '\t')
  const nickname = fc.constantFrom('@hourly', '@Daily', '@midnight', '@WEEKLY', ' @monthly', '@yearly ', '@annually')
  const calendar = fc.tuple(fc.oneof({ weight: 3, arbitrary: fields }, withSecond), blank).map(([words, gap]) => words.join(gap))
  const tooFew = fields.map((words) => words.slice(1).join(' '))
  return fc.oneof({ weight: 300, arbitrary: calendar }, { weight: 5, arbitrary: nickname }, { weight: spoiltPercent, arbitrary: tooFew })
}

function list(one: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: one },
    fc.array(one, { minLength: 2, maxLength: 4 }).map((items) => items.join(',')),
  )
}

function item(low: number, high: number, names: readonly string[], spoiltPercent: number): fc.Arbitrary<string> {
  const number = fc.integer({ min: low, max: high })
  const value = fc.tuple(number, fc.integer({ min: 0, max: 9 })).map(([n, dice]) => written(n, dice, low, names))
  const ordered = fc.tuple(number, number).map(([a, b]) => (a <= b ? ([a, b] as const) : ([b, a] as const)))
  const range = fc
    .tuple(ordered, fc.integer({ min: 0, max: 9 }))
    .map(([[a, b], dice]) => `${written(a, dice, low, names)}-${written(b, dice, low, names)}`)
  const step = fc.integer({ min: 1, max: Math.min(high, 30) - low })
  const good = fc.oneof(
    { weight: 4, arbitrary: value },
    { weight: 3, arbitrary: range },
    { weight: 2, arbitrary: step.map((n) => `*/${n}`) },
    { weight: 2, arbitrary: fc.tuple(range, step).map(([span, n]) => `${span}/${n}`) },
    { weight: 1, arbitrary: fc.constant('*') },
  )
  const backwards = ordered.map(([a, b]) => `${b + 1}-${a}`)
  const outside = fc.constantFrom(`${high + 1}`, `${low}-${high + 1}`, `${high + 100}`, '*/0', `*/${high + 2}`, '99999999999999999999')
  const nonsense = fc.constantFrom(
    'x',
    '1..2',
    '-1',
    '3-',
    '/5',
    '1-2-3',
    '*-5',
    '**',
    '1,,2',
    ',',
    '2/2',
    '#',
    '1#6',
    '5#',
    'MONDAY',
    'JANUARY',
    'MO',
    '1L2',
    'L1',
  )
  const bad = fc.oneof({ weight: 2, arbitrary: outside }, { weight: 2, arbitrary: nonsense }, { weight: 1, arbitrary: backwards })
  return spoiltPercent === 0 ? good : fc.oneof({ weight: 100 - spoiltPercent, arbitrary: good }, { weight: spoiltPercent, arbitrary: bad })
}

/** A number as itself, with zeros in front, or by its name. */
function written(n: number, dice: number, low: number, names: readonly string[]): string {
  const name = names[n - low]
  if (dice < 4 && name !== undefined) return name
  return dice === 9 ? `0${n}` : String(n)
}
