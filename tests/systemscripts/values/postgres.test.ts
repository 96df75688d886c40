import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { from as copyFrom } from 'pg-copy-streams'
import type { ColumnRule } from '../../../systemscripts/copy-plan.ts'
import { RefusedValue } from '../../../systemscripts/values/refused-value.ts'
import { createConversion } from '../../../systemscripts/values.ts'
import { freshDatabase, type TestDatabase } from '../../helpers/database.ts'
import { rule } from './rules.ts'

const seed = Date.now() % 1_000_000

test(`what is taken, Postgres takes (seed ${seed})`, async (t) => {
  const database = await freshDatabase(t)
  for (const [columnRule, characters] of junkFor) {
    await t.test(`${columnRule.type} ${columnRule.format ?? ''}`, async () => {
      const junk = fc.sample(junkOf(characters), { numRuns: 4000, seed })
      const accepted = acceptedOf(columnRule, junk)
      assert.ok(accepted.length > 5, `only ${accepted.length} were taken`)
      await copied(
        database,
        columnRule.type,
        accepted.map(([, value]) => value),
      )
    })
  }
})

const number = [
  '0',
  '1',
  '9',
  '12',
  '345',
  '.',
  ',',
  '-',
  '+',
  'e',
  'E5',
  'e-3',
  ' ',
  '000',
  '32768',
  '2147483648',
  '9223372036854775807',
  'NaN',
  '5e-324',
]
const date = [
  '2024',
  '-',
  '02',
  '29',
  '03',
  '04',
  '/',
  ' ',
  'T',
  '12',
  ':',
  '30',
  '00',
  '.5',
  '.123456',
  'Z',
  '+02',
  '+0530',
  '1999',
  'infinity',
  'UTC',
  '59',
  '2023-03-26 02:30',
]
const duration = ['1', '26', ':', '30', '00', ' ', 'day', 'hours', ' 2 ', 'P', 'T', '5H', '3D', '-', '.5', 'mon', 'years', 'w', '99999999']

const junkFor: [ColumnRule, string[]][] = [
  ...['smallint', 'integer', 'bigint', 'numeric', 'numeric(6,2)', 'numeric(3,5)', 'real', 'double precision'].map(
    (type): [ColumnRule, string[]] => [rule(type), number],
  ),
  [rule('integer', { format: '1,234 567 round'.replace(' 567', ',567') }), number],
  [rule('numeric(8,2)', { format: '1.234,56 round' }), number],
  [rule('numeric', { format: '12,5 %' }), [...number, '%', ' %']],
  [rule('date'), date],
  [rule('timestamp without time zone', { sourceZone: 'America/New_York' }), date],
  [rule('timestamp with time zone', { sourceZone: 'Europe/Warsaw' }), date],
  [rule('timestamp(3) without time zone'), date],
  [
    rule('timestamp with time zone', { format: 'd/M/yy H:mm | yyyy-MM-dd HH:mm:ss.SSSXXX | yyyy-MM-dd' }),
    ['3', '/', '12', '/', '24', ' ', '5', ':', '30', '2024-02-29', '00', '.1', 'Z'],
  ],
  [rule('time without time zone'), ['12:30', ':00', '.5', '23:59', ':59', ' ', '24:']],
  [rule('interval'), duration],
  [rule('interval', { format: 'mm:ss' }), ['1', '26', ':30', ':', '5', ' ', '-']],
  [rule('boolean'), ['t', 'rue', 'f', 'alse', 'y', 'es', 'n', 'o', '1', '0', 'on', 'off', ' ']],
  [
    rule('jsonb'),
    ['{', '}', '[', ']', '"a"', ':', ',', '1', 'e5', 'null', ' ', '"\\u00e9"', '"\\ud800"', '-', '.5', 'e999999', '"\\u0000"'],
  ],
  [rule('uuid'), ['0123456789abcdef', '01234567', '-', '89ab', '-cdef', '0123456789AB', '{', '}', '3f1c9a52-9d0f-4c9e-8b1a-2f6f0d8a7c11']],
  [rule('bytea'), ['\\x', '0x', 'de', 'AD', '0', 'g']],
  [rule('character varying(3)'), ['a', 'é', '😀', ' ', '\0', '\ud800', 'bc']],
  [rule('character(3)'), ['a', 'é', '😀', ' ', '\\', '\t', '\n']],
]

test(`numbers come back as they were meant (seed ${seed})`, async (t) => {
  const database = await freshDatabase(t)
  const amounts = fc.sample(fc.tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: 0, max: 4 })), {
    numRuns: 3000,
    seed,
  })
  const meant = amounts.map(([units, scale]) => plainly(units, scale))
  const ways: [format: string | null, write: (plain: string) => string][] = [
    [null, (plain) => plain],
    ['1.234,56', (plain) => grouped(plain, '.', ',')],
    ['1,234.56', (plain) => grouped(plain, ',', '.')],
    ['1 234,56 €', (plain) => `${grouped(plain, '\u202f', ',')} €`],
    ["CHF 1'234.56", (plain) => `CHF ${grouped(plain, '’', '.')}`],
    ['$ (1,234.50)', (plain) => (plain.startsWith('-') ? `($${grouped(plain.slice(1), ',', '.')})` : `$${grouped(plain, ',', '.')}`)],
    ['1.234,56-', (plain) => (plain.startsWith('-') ? `${grouped(plain.slice(1), '.', ',')}-` : grouped(plain, '.', ','))],
  ]
  for (const [format, write] of ways) {
    const accepted = acceptedOf(rule('numeric(20,4)', { format }), meant.map(write))
    assert.equal(accepted.length, meant.length, `some were refused under ${format}`)
    const back = await copied(
      database,
      'numeric(20,4)',
      accepted.map(([, value]) => value),
    )
    assert.deepEqual(back.map(trimmed), meant.map(trimmed), `under ${format}`)
  }
})

test(`floating point numbers come back the same (seed ${seed})`, async (t) => {
  const database = await freshDatabase(t)
  const numbers = fc.sample(fc.double({ noNaN: true }), { numRuns: 5000, seed })
  const accepted = acceptedOf(rule('double precision'), numbers.map(String))
  const back = await copied(
    database,
    'double precision',
    accepted.map(([, value]) => value),
  )
  assert.deepEqual(
    back.map(Number),
    numbers.map((value) => (value === 0 ? 0 : value)),
  )
})

test(`moments come back as they were meant, whatever the zone and the form (seed ${seed})`, async (t) => {
  const database = await freshDatabase(t)
  const seconds = fc.sample(fc.integer({ min: 0, max: 2_100_000_000 }), { numRuns: 4000, seed })
  for (const zone of ['Europe/Warsaw', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu']) {
    const local = await database.query<{ iso: string; german: string; american: string; epoch: string }>(
      `select to_char(v, 'YYYY-MM-DD HH24:MI:SS') as iso, to_char(v, 'DD.MM.YYYY HH24:MI:SS') as german, to_char(v, 'FMMon FMDD, YYYY FMHH12:MI:SS am') as american,
              extract(epoch from v at time zone $2)::bigint::text as epoch
         from unnest($1::bigint[]) with ordinality as u(second, n), lateral (select to_timestamp(second) at time zone $2 as v) as l
        order by n`,
      [seconds, zone],
    )
    for (const [form, format] of [
      ['iso', null],
      ['german', 'dd.MM.yyyy HH:mm:ss'],
      ['american', 'MMM d, yyyy h:mm:ss a'],
    ] as const) {
      const accepted = acceptedOf(
        rule('timestamp with time zone', { format, sourceZone: zone }),
        local.map((row) => row[form]),
      )
      assert.equal(accepted.length, seconds.length)
      const back = await copied(
        database,
        'timestamp with time zone',
        accepted.map(([, value]) => value),
        'extract(epoch from value)::bigint::text',
      )
      const wrong = back.filter((epoch, index) => {
        const second = seconds[index] ?? 0
        // Where an hour comes twice, Postgres takes its second, and here it is the first: an hour or less apart.
        return epoch !== String(second) && !isRepeated(second, Number(epoch), Number(local[index]?.epoch))
      })
      assert.deepEqual(wrong, [], `${zone}, ${form}`)
    }
  }
})

function isRepeated(meant: number, got: number, byPostgres: number): boolean {
  const length = byPostgres - got
  return (meant === byPostgres || meant === got) && length > 0 && length <= 3600
}

/** Values that are taken, beside the texts they come from. */
function acceptedOf(columnRule: ColumnRule, texts: string[]): [text: string, value: string][] {
  const convert = createConversion(columnRule)
  return texts.flatMap((text): [string, string][] => {
    const value = convert(text)
    return value === null || value instanceof RefusedValue ? [] : [[text, value]]
  })
}

/** What a table of this type gives back, in order. */
async function copied(database: TestDatabase, type: string, values: string[], expression = 'value::text'): Promise<string[]> {
  const client = await database.pool.connect()
  try {
    await client.query(`create temporary table taken (line integer, value ${type})`)
    const lines = values.map((value, index) => `${index}\t${value.replace(/[\\\t\n\r]/g, (sign) => ESCAPES[sign] ?? sign)}\n`)
    await pipeline(Readable.from([lines.join('')]), client.query(copyFrom('copy taken from stdin')))
    const { rows: back } = await client.query<{ value: string }>(`select ${expression} as value from taken order by line`)
    await client.query('drop table taken')
    return back.map(({ value }) => value)
  } finally {
    client.release(true)
  }
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function junkOf(characters: string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...characters), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''))
}

function plainly(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return units < 0n ? `-${text}` : text
}

function grouped(plain: string, group: string, mark: string): string {
  const [whole = '', fraction] = plain.split('.')
  const groups = whole.replace(/(\d)(?=(\d{3})+$)/g, `$1${group}`)
  return fraction === undefined ? groups : `${groups}${mark}${fraction}`
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/[.]?0+$/, '') : text
}
