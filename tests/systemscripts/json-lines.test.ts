import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readJsonRecords } from '../../systemscripts/json-lines.ts'
import { refusalOf, rowsOf } from './read-workbook.ts'

test('one object a line, objects behind each other, and a list of objects give the same rows', async () => {
  const expected = {
    names: ['a', 'b'],
    rows: [
      ['1', null],
      [null, 'x'],
    ],
  }
  for (const text of [
    '{"a":1}\n{"b":"x"}\n',
    '\ufeff{"a":1}\r\n\r\n{"b":"x"}',
    '{"a":1}{"b":"x"}',
    '[{"a":1},\n {"b" : "x"}]\n',
    '\x1e{"a":1}\n\x1e{"b":"x"}\n',
  ]) {
    const { names, rows } = await read(text)
    assert.deepEqual({ names, rows: rows.map(({ cells }) => cells) }, expected, text)
  }
})

test('numbers keep the text that they have, null is null, what is nested stays JSON', async () => {
  const text =
    '{"n":1.10,"long":12345678901234567890,"e":1E5,"yes":true,"no":false,"nothing":null,"empty":"","list":[1, {"z":"}]"}],"esc":"\\u00fc\\n\\"\\\\","nan":NaN}'
  const { names, rows } = await read(text)
  const found = Object.fromEntries((names ?? []).map((name, index) => [name, rows[0]?.cells[index]]))
  assert.deepEqual(found, {
    n: '1.10',
    long: '12345678901234567890',
    e: '1E5',
    yes: 'true',
    no: 'false',
    nothing: null,
    empty: '',
    list: '[1, {"z":"}]"}]',
    esc: 'ü\n"\\',
    nan: 'NaN',
  })
})

test('rows keep the line where they begin, and records without values are left out', async () => {
  const { rows } = await read('\n{"a":1}\n{}\n{"a":null}\n{"a":\n2}\n{"a":3}\n')
  assert.deepEqual(
    rows.map(({ line, cells }) => [line, cells[0]]),
    [
      [2, '1'],
      [5, '2'],
      [7, '3'],
    ],
  )
})

test('a key that comes late is a column as any other, and hostile keys are only names', async () => {
  const lines = Array.from({ length: 3000 }, (_, index) => `{"a":${index}}`)
  const { names, rows } = await read([...lines, '{"late":1,"__proto__":"x","constructor":2,"a":null}'].join('\n'))
  assert.deepEqual(names, ['a', 'late', '__proto__', 'constructor'])
  assert.deepEqual(rows.at(-1)?.cells, [null, '1', 'x', '2'])
})

test('what is no JSON, or no records, is refused with the line', async () => {
  const cases: [string, string, RegExp][] = [
    ['{"a":1}\n{"a":', 'json_broken', /line 2/],
    ['{"a":1}\n\n{"a":tru}', 'json_broken', /line 3/],
    ['{"a":01}', 'json_broken', /line 1/],
    ["{'a':1}", 'json_broken', /line 1/],
    ['{"a":1,}', 'json_broken', /line 1/],
    ['{"a":[1,}]}', 'json_broken', /line 1/],
    ['[{"a":1},\n{"a":2}', 'json_broken', /line 2/],
    ['[{"a":1}]\n[{"a":2}]', 'json_broken', /line 2/],
    ['[{"a":1} {"a":2}]', 'json_broken', /line 1/],
    ['{"a":1}]', 'json_broken', /line 1/],
    ['[1, 2]', 'json_not_records', /other than records/],
    ['[["a"]]', 'json_not_records', /other than records/],
    ['"text"', 'json_not_records', /other than records/],
    [`{${Array.from({ length: 1700 }, (_, index) => `"k${index}":1`).join(',')}}`, 'json_too_many_keys', /1600/],
    [`{"a":"${'x'.repeat(70_000_000)}"}`, 'json_record_too_large', /67108864/],
  ]
  for (const [text, code, message] of cases) {
    const error = await refusalOf(read(text))
    assert.equal(error.code, code, text.slice(0, 40))
    assert.match(error.message, message)
  }
})

test('records written by JSON.stringify come back, wherever the bytes are cut', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string()),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string(), value)),
      fc.integer({ min: 1, max: 30 }),
      fc.boolean(),
      async (records, size, isList) => {
        const text = isList ? JSON.stringify(records, null, 1) : records.map((record) => JSON.stringify(record)).join('\n')
        const { names, rows } = await read(text, size)
        const expected = records.filter((record) => Object.values(record).some((entry) => entry !== null))
        assert.equal(rows.length, expected.length)
        expected.forEach((record, index) => {
          for (const [key, entry] of Object.entries(record)) {
            const found = rows[index]?.cells[names?.indexOf(key) ?? -1]
            if (typeof entry === 'string') assert.equal(found, Buffer.from(entry).toString())
            else
              assert.deepEqual(found === null ? null : JSON.parse(found ?? ''), entry === null ? null : JSON.parse(JSON.stringify(entry)))
          }
        })
      },
    ),
    { numRuns: 300 },
  )
})

async function read(text: string, pieceBytes = 1000) {
  const bytes = Buffer.from(text)
  const size = bytes.length > 1_000_000 ? 64 * 1024 : pieceBytes
  const grid = await readJsonRecords({
    fileName: 'x.json',
    async *bytes() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    },
  })
  return { names: grid.names, rows: await rowsOf(grid) }
}
