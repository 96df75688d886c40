/** Values as people write them, from a CSV through a whole load into typed columns: what stands in the table, or by which rule the row was refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importBench } from './import-harness.ts'

interface Column {
  type: string
  format: string | null
  /** What the file says, and what the table then has; a rule in angle brackets is that of the refusal. */
  values: [said: string, got: string][]
}

const columns: Column[] = [
  {
    type: 'numeric',
    format: '1.234,56',
    values: [
      ...pairs(
        '1.234,56=1234.56 1234,56=1234.56 -1.234,5=-1234.5 0,1=0.1 ,5=0.5 1.234=1234 12.345.678,9=12345678.9 +7=7 −3,5=-3.5 1,5e3=1500 007=7',
      ),
      ...refused('not_a_number', '1,234.56 1.23 12.34,5 1.2345,6 1,2,3 1..234 1.234.56 abc 5% 1,5x 0x10 1_000 --5 1- (5) NaN'),
    ],
  },
  {
    type: 'numeric(10,2)',
    format: "1'234.50 round",
    values: [
      ...pairs("1'234.50=1234.50 1’234.5=1234.50 12'345'678.005=12345678.01 0.005=0.01 -0.005=-0.01 99999999.994=99999999.99 0.004=0.00"),
      ...refused('too_many_digits', '99999999.995 123456789'),
      ...refused('not_a_number', "1'23 1,5 12'34"),
    ],
  },
  {
    type: 'numeric',
    format: '1 234,5 €',
    values: [
      ['1 234,5 €', '1234.5'],
      ['1\u00a0234,5\u00a0€', '1234.5'],
      ['1\u202f234 567,25', '1234567.25'],
      ['€ 12', '12'],
      ['-12,5€', '-12.5'],
      ['1 23,5', '<not_a_number>'],
      ['5 $', '<not_a_number>'],
      ['€ 5 €', '<not_a_number>'],
    ],
  },
  {
    type: 'numeric',
    format: '12,5 %',
    values: [...pairs('12,5%=0.125 100%=1 -3%=-0.03 0,05%=0.0005'), ...refused('not_a_number', '12,5 % % 5%%')],
  },
  {
    type: 'numeric',
    format: '(1,234.50)',
    values: [...pairs('(1,234.50)=-1234.50 1,234=1234 (5)=-5'), ...refused('not_a_number', '(5 5) (-5) ((5))')],
  },
  {
    type: 'integer',
    format: null,
    values: [
      ...pairs('12=12 -5=-5 +7=7 007=7 12.0=12 1.5e3=1500 2147483647=2147483647 -2147483648=-2147483648'),
      ...refused('out_of_range', '2147483648 -2147483649 1e99'),
      ...refused('has_decimals', '1.5 1e-1'),
      ...refused('not_a_number', '1,5 1.000,0 ten 1e 0b1'),
    ],
  },
  {
    type: 'bigint',
    format: '1,234,567',
    values: [
      ...pairs('9,223,372,036,854,775,807=9223372036854775807 12=12'),
      ...refused('out_of_range', '9,223,372,036,854,775,808'),
      ...refused('not_a_number', '12,34 1.5'),
    ],
  },
  {
    type: 'double precision',
    format: null,
    values: [
      ...pairs('1.5=1.5 1e308=1e+308 -0.1=-0.1 NaN=NaN -inf=-Infinity'),
      ...refused('out_of_range', '1e309 1e-400'),
      ...refused('not_a_number', '1,5 e5'),
    ],
  },
  {
    type: 'boolean',
    format: null,
    values: [
      ...pairs('true=true T=true yes=true ON=true 1=true false=false n=false Off=false 0=false'),
      ...refused('not_a_boolean', 'ja 2 wahr -'),
    ],
  },
  {
    type: 'boolean',
    format: 'ja/nein | x/-',
    values: [...pairs('JA=true nein=false x=true -=false true=true'), ...refused('not_a_boolean', 'yes 1 j')],
  },
  {
    type: 'date',
    format: null,
    values: [
      ['2024-02-29', '2024-02-29'],
      ['2024-03-04T00:00:00', '2024-03-04'],
      ['2023-02-29', '<no_such_day>'],
      ['2024-13-01', '<no_such_day>'],
      ['2024-03-04 05:06', '<has_time>'],
      ['03/04/2024', '<ambiguous_date>'],
      ['13/04/2024', '<not_a_date>'],
      ['20240304', '<not_a_date>'],
      ['today', '<not_a_date>'],
      ['2024-3-4', '<not_a_date>'],
    ],
  },
  {
    type: 'date',
    format: 'dd.MM.yyyy | d.M.yy',
    values: [
      ...pairs('04.03.2024=2024-03-04 4.3.24=2024-03-04 31.12.69=2069-12-31 1.1.70=1970-01-01'),
      ...refused('no_such_day', '31.02.2024 00.01.2024'),
      ...refused('not_a_date', '2024-03-04 04/03/2024 4.3.2024'),
    ],
  },
  {
    type: 'date',
    format: 'd. MMMM@de yyyy',
    values: [
      ['4. März 2024', '2024-03-04'],
      ['4. maerz 2024', '<not_a_date>'],
      ['1. Jän 2024', '<not_a_date>'],
      ['31. Dez. 2024', '2024-12-31'],
      ['31. dezember 2024', '2024-12-31'],
      ['5. Mai 2024', '2024-05-05'],
      ['5. May 2024', '<not_a_date>'],
      ['5. Mrz 2024', '2024-03-05'],
      ['31. Juni 2024', '<no_such_day>'],
    ],
  },
  {
    type: 'date',
    format: 'd MMM@pl yyyy',
    values: [
      ['4 marca 2024', '2024-03-04'],
      ['4 mar 2024', '2024-03-04'],
      ['12 października 2024', '2024-10-12'],
      ['12 paź 2024', '2024-10-12'],
      ['12 pazdziernika 2024', '2024-10-12'],
      ['1 sty 2024', '2024-01-01'],
    ],
  },
  {
    type: 'date',
    format: 'EEE, d MMM yyyy',
    values: [
      ['Mon, 4 Mar 2024', '2024-03-04'],
      ['Monday, 4 March 2024', '2024-03-04'],
      ['Tue, 4 Mar 2024', '<no_such_day>'],
      ['Mo, 4 Mar 2024', '<not_a_date>'],
    ],
  },
  {
    type: 'date',
    format: 'yyyyMMdd',
    values: [
      ...pairs('20240304=2024-03-04'),
      ...refused('not_a_date', '2024034 202403041 2024-03-04'),
      ...refused('no_such_day', '20241304'),
    ],
  },
  {
    type: 'timestamp',
    format: 'M/d/yy h:mm a',
    values: [
      ['3/4/24 1:05 PM', '2024-03-04 13:05:00'],
      ['12/31/24 12:00 am', '2024-12-31 00:00:00'],
      ['3/4/24 12:30 p.m.', '2024-03-04 12:30:00'],
      ['3/4/24 13:05 PM', '<no_such_time>'],
      ['3/4/24 1:05', '<not_a_date>'],
      ['13/4/24 1:05 PM', '<no_such_day>'],
    ],
  },
  {
    type: 'timestamptz',
    format: null,
    values: [
      ['2024-07-01 12:00', '2024-07-01 10:00:00+00'],
      ['2024-01-01 12:00', '2024-01-01 11:00:00+00'],
      ['2024-03-31 02:30', '2024-03-31 01:30:00+00'],
      ['2024-10-27 02:30', '2024-10-27 00:30:00+00'],
      ['2024-07-01T12:00:00Z', '2024-07-01 12:00:00+00'],
      ['2024-07-01 12:00:00.1234567', '<too_many_decimals>'],
      ['2024-07-01 24:00', '<no_such_time>'],
      ['2024-07-01 12:60', '<no_such_time>'],
    ],
  },
  {
    type: 'time',
    format: null,
    values: [
      ...pairs('05:06=05:06:00 23:59:59.5=23:59:59.5'),
      ...refused('not_a_time', '5.06 5pm 0506'),
      ...refused('no_such_time', '24:01 12:61'),
    ],
  },
  {
    type: 'interval',
    format: null,
    values: [
      ['26:30', '26:30:00'],
      ['P1DT2H', '1 day 02:00:00'],
      ['2 hours 30 minutes', '02:30:00'],
      ['-0:05', '-00:05:00'],
      ['soon', '<not_an_interval>'],
    ],
  },
  {
    type: 'uuid',
    format: null,
    values: [
      ['{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
      ['a0eebc99', '<not_a_uuid>'],
    ],
  },
  {
    type: 'jsonb',
    format: null,
    values: [
      ['{"a": 12345678901234567890}', '{"a": 12345678901234567890}'],
      ['{a:1}', '<not_json>'],
      ['"\\u0000"', '<not_unicode>'],
    ],
  },
  {
    type: 'varchar(3)',
    format: null,
    values: [
      ['abc', 'abc'],
      ['äöü', 'äöü'],
      ['😀😀😀', '😀😀😀'],
      ['abcd', '<too_long>'],
      ['00123', '<too_long>'],
      ['NaN', 'NaN'],
    ],
  },
]

test('every value stands in the table as it is meant, or its row is refused by the right rule', async (t) => {
  const bench = await importBench(t)
  await bench.configure({ source_zone: 'Europe/Warsaw', max_rejects: null })
  for (const [index, { type, format }] of columns.entries()) {
    await bench.query('insert into dba.importcolumn (config_name, column_name, type, format) values ($1, $2, $3, $4)', [
      'prices',
      `c${index}`,
      type,
      format,
    ])
  }
  const rows = columns.flatMap(({ values }, index) => values.map(([said, got]) => ({ index, said, got })))
  const fields = rows.map(({ index, said }, id) => [
    String(id),
    ...columns.map((_, at) => (at === index ? `"${said.replaceAll('"', '""')}"` : '')),
  ])
  const header = ['id', ...columns.map((_, index) => `c${index}`)]
  await bench.put('inbox/values.csv', `${[header, ...fields].map((line) => line.join(';')).join('\n')}\n`)
  await bench.run()
  const loaded = new Map(
    (
      await bench.query<Record<string, string | null>>(
        `select id, ${columns.map((_, index) => `c${index}::text`).join(', ')} from feeds.price`,
      )
    ).map((row) => [Number(row.id), row]),
  )
  const rejects = new Map(
    (await bench.query<{ line: number; rule: string }>('select line::int, rule from dba.reject')).map((row) => [row.line - 2, row.rule]),
  )
  const wrong = rows.flatMap(({ index, said, got }, id) => {
    const has = loaded.get(id)?.[`c${index}`] ?? `<${rejects.get(id)}>`
    return has === got ? [] : [`${columns[index]?.type} ${columns[index]?.format}: ${said} gave ${has}, not ${got}`]
  })
  assert.deepEqual(wrong, [])
})

function pairs(text: string): [string, string][] {
  return text.split(' ').map((pair) => [pair.slice(0, pair.lastIndexOf('=')), pair.slice(pair.lastIndexOf('=') + 1)])
}

function refused(rule: string, values: string): [string, string][] {
  return values.split(' ').map((value) => [value, `<${rule}>`])
}
