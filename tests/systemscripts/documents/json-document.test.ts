import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonDocument } from '../../../systemscripts/documents/json-document.ts'
import { rowsOf, textOf } from './row-sources.ts'

test('numbers keep all their digits, and json stands in it as it is', async () => {
  const source = rowsOf(
    ['id bigint', 'price numeric', 'f float8', 'is_open boolean', 'doc jsonb', 'at timestamptz', 'day date', 'note text'],
    [
      [
        '9223372036854775807',
        '12345678901234567890.1230',
        '1e-07',
        't',
        '{"a": [1, null]}',
        '2026-03-01 08:00:00.5+01',
        '2026-03-01',
        'a "b"\n',
      ],
      [null, 'NaN', '-Infinity', 'f', 'null', 'infinity', null, ''],
    ],
  )
  assert.equal(
    await textOf(jsonDocument(source)),
    `[
{"id":9223372036854775807,"price":12345678901234567890.1230,"f":1e-07,"is_open":true,"doc":{"a": [1, null]},"at":"2026-03-01T08:00:00.5+01:00","day":"2026-03-01","note":"a \\"b\\"\\n"},
{"id":null,"price":"NaN","f":"-Infinity","is_open":false,"doc":null,"at":"infinity","day":null,"note":""}
]
`,
  )
})

test('no rows are an empty array', async () => {
  assert.equal(await textOf(jsonDocument(rowsOf(['n integer'], []))), '[]\n')
})

test('columns of one name are told apart, so that none is lost', async () => {
  const source = rowsOf(['id integer', 'id integer', 'id_2 integer', 'id integer'], [['1', '2', '3', '4']])
  assert.deepEqual(JSON.parse(await textOf(jsonDocument(source))), [{ id: 1, id_3: 2, id_2: 3, id_4: 4 }])
})
