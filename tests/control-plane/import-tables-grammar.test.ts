import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDateFormat } from '../../systemscripts/date-format.ts'
import { parseCellRange } from '../../systemscripts/reading/cell-range.ts'
import { checkColumnRule } from '../../systemscripts/values.ts'
import { freshDatabase } from '../helpers/database.ts'

const numbers = [
  ...[
    '1.234,56',
    '1,234.56',
    '1 234,56',
    "1'234.56",
    '1’234.56',
    '12,34,567.50',
    '12.34.567',
    '1.234.567',
    '1234,56',
    '1234',
    '0,5',
    '0.123',
    '1.234',
  ],
  ...[
    '1,234',
    '1.23.45',
    '1,23.456',
    '12345.678,9',
    '1.234.56',
    '1 234 567',
    '1 234.567',
    '€ 1.234,56',
    '1.234,56 EUR',
    '$ £ 1,234.50',
    '12,5 %',
    '%12',
  ],
  ...[
    '(1,234.50)',
    '(1,234.50',
    '1,234.50)',
    '1.234,56-',
    '-1,5',
    '+1,5',
    '1,5E+03',
    '1.5e3',
    '1.234,5e3',
    'round',
    '1,234.56 round',
    '',
    ' ',
    'abc',
    '€',
    '€ 5 %',
  ],
  ...['1,234.56 #', '* 5', '1,,234', '01.234', '1\u00a0234,56', '1 2', 'kg 5', '1.234,56 rounded', '1.2345.678'],
]
const dates = [
  ...[
    'dd.MM.yyyy',
    'd.M.yy',
    'd MMM yyyy',
    'd. MMMM@de yyyy',
    'MMM@xx d yyyy',
    'EEE, d MMM@fr yyyy',
    'EEE@fr d MMM@de yyyy',
    'M/d/yy h:mm a',
    'M/d/yy h:mm',
    'M/d/yy H:mm a',
  ],
  ...[
    'yyyyMMdd',
    'yyyyMd',
    'yyyyMMddTHHmmss',
    'yyyy-MM-ddTHH:mm:ss.SSSXXX',
    'yyyy-MM-dd ss',
    'yyyy-MM-dd HH:ss',
    'yyyy-MM-dd mm',
    "yyyyMMdd'Z'",
    "yyyyMMdd 'at' HHmm",
  ],
  ...[
    "yyyyMMdd 'at",
    "yyyy''MM''dd",
    'yyyy-MM',
    'dd.MM',
    'dd.MM.yyyy | yyyy-MM-dd',
    'dd.MM.yyyy | yyyy',
    'dd.MM.yyyy | ',
    'dd.MM.yyyy yy',
    'dd.MM.yyyy round',
    'round',
    '',
    'Q',
    'dd.MM.yyyyQ',
  ],
  ...[
    'HH:mm',
    'HHmm',
    'H:mm:ss',
    'hh:mm a',
    'mm:ss',
    'H:mm:ss.SSS',
    'dd HH:mm',
    'ss',
    'SSS',
    'HH',
    'XXX',
    "d'1'MMyyyy",
    'Hmm',
    'yyyy-MM-dd | dd/MM/yyyy round',
  ],
]
const pairs = [
  'ja/nein',
  'ja/nein | j/n',
  'ja',
  'ja/',
  '/nein',
  'ja/nein/x',
  'ja/ja',
  'JA/nein | x/ja',
  'true/false',
  'false/true',
  'x/true',
  'wahr/falsch|w/f',
  '',
]
const types = [
  'integer',
  'numeric(12,2)',
  'real',
  'boolean',
  'date',
  'timestamp without time zone',
  'timestamp with time zone',
  'time without time zone',
  'interval',
  'text',
  'uuid',
  'jsonb',
]
const transforms = [
  ...[
    'trim',
    'trim | upper',
    'trim,lower',
    ' TRIM |Upper ',
    '',
    ' ',
    '|',
    'trim |',
    '| trim',
    'trim upper',
    'trimm',
    'trim()',
    'trim("x")',
    'prefix("x")',
    'prefix(x)',
    "prefix('x')",
    'prefix()',
    'prefix("x", "y")',
  ],
  ...[
    'suffix( "a\\"b" )',
    'suffix("a',
    'lpad(5, "0")',
    'lpad("0", 5)',
    'lpad(5)',
    'replace("a", "b")',
    'replace("a")',
    'replace("a|b", "c,d") | trim',
    'regexp_replace(/a/, "b")',
    'regexp_replace(/a/g, "b")',
  ],
  ...[
    'regexp_replace(/a/gi, "b")',
    'regexp_replace(/a/x, "b")',
    'regexp_replace(/[/]/, "")',
    'regexp_replace(/(a)\\/b/, "\\1")',
    'regexp_replace("a", "b")',
    'regexp_replace(/a/)',
    `regexp_replace(/${'a'.repeat(201)}/, "")`,
  ],
  ...['date("dd.MM.yyyy")', 'date("MM.yyyy")', 'date(dd)', 'digits | nullif_blank | collapse', 'drop table x'],
]

const ranges = [
  'B3:K200',
  'b3:k200',
  '$B$3:$K$200',
  'B:K',
  '3:200',
  'B3:',
  ':K9',
  'B3:K',
  ':',
  'B3',
  'K3:B9',
  'AA1:B2',
  'B9:C3',
  'B0:C1',
  'ABCD1:B2',
  ' B3 : K9 ',
  '3:2',
  '',
]

test('what the database takes as a format of a column, the workers take, and the other way round', async (t) => {
  const taken = await judge(t, 'dba.check_format(a, b)')
  for (const type of types) {
    const formats = [...numbers, ...dates, ...pairs]
    const here = await taken(formats, type)
    assert.deepEqual(
      here,
      formats.filter((format) => isRule({ type, format })),
      type,
    )
  }
})

test('so it is with transforms', async (t) => {
  const taken = await judge(t, 'dba.check_transform(a)')
  assert.deepEqual(
    await taken(transforms),
    transforms.filter((transform) => isRule({ transform })),
  )
})

test('so it is with the date of a dataset, and with parts of sheets', async (t) => {
  const dateTaken = await judge(t, `dba.check_date_format(a, 'day')`)
  assert.deepEqual(
    await dateTaken(dates),
    dates.filter((format) => passes(() => checkDateFormat(format))),
  )
  const rangeTaken = await judge(t, 'dba.check_cell_range(a)')
  assert.deepEqual(
    await rangeTaken(ranges),
    ranges.filter((range) => passes(() => parseCellRange(range))),
  )
})

/** Gives those of many texts that a check of the database does not refuse. */
async function judge(
  t: Parameters<typeof freshDatabase>[0],
  check: string,
): Promise<(texts: string[], beside?: string) => Promise<string[]>> {
  const { client } = await (await freshDatabase(t)).as('rota_dba')
  await client.query(
    `create function pg_temp.is_taken(a text, b text) returns boolean language plpgsql as $$ begin perform ${check}; return true; exception when others then return false; end $$`,
  )
  return async (texts, beside = '') => {
    const { rows } = await client.query<{ text: string }>(
      'select t as text from unnest($1::text[]) with ordinality as u (t, o) where pg_temp.is_taken(t, $2) order by o',
      [texts, beside],
    )
    return rows.map(({ text }) => text)
  }
}

function isRule(stated: { type?: string; format?: string; transform?: string }): boolean {
  const rule = {
    column: 'c',
    type: 'text',
    format: null,
    isRequired: false,
    defaultValue: null,
    nullTokens: [],
    transform: null,
    sourceZone: 'UTC',
    ...stated,
  }
  return passes(() => checkColumnRule(rule))
}

function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
