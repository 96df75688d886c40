import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ColumnRule, CopyPiece, CopyPlan } from '../../../systemscripts/copy-plan.ts'
import { readTable } from '../../../systemscripts/read-table.ts'
import { openText } from '../csv-reads.ts'
import { temporaryFile } from '../test-files.ts'
import { clientWithItems, copied, planOf } from './copies.ts'

const text = 'id,name,price\n1,"a\tb",2.5\n2,,x\n3,"",4\n'

describe('a copy plan', () => {
  test('chooses and orders columns, adds constants and lines, and gathers the rest as JSON', async (t) => {
    const client = await clientWithItems(t, 5)
    const table = await openText('id,name,more,last\n1,A,x,\n2,"",,"y\n"\n3,B,,\n')
    const columns: CopyPlan['columns'] = [
      { from: 'line' },
      { from: 'constant', value: null },
      { from: 'file', index: 1, rule: null },
      { from: 'file', index: 0, rule: null },
      {
        from: 'extra',
        values: [
          { index: 2, name: 'more' },
          { index: 3, name: '__proto__' },
        ],
      },
    ]
    const { rows } = await copied(client, 5, table.copy(planOf([], { columns })))
    assert.deepEqual(rows, [
      ['2', null, 'A', '1', '{"more":"x"}'],
      ['3', null, '', '2', '{"__proto__":"y\\n"}'],
      ['5', null, 'B', '3', null],
    ])
  })

  test('converts by rule and tells of rows that do not fit, with the row as it came', async () => {
    const { pieces, bytes } = await copy(text, { columns: columns(rule('price', 'numeric')) })
    assert.equal(bytes, '1\ta\\tb\t2.5\n3\t\t4\n')
    const [piece] = pieces
    assert.deepEqual([piece?.rowsRead, piece?.rowsWritten], [3, 2])
    const { message = '', ...reject } = piece?.rejects[0] ?? {}
    assert.match(message, /price/)
    assert.deepEqual(reject, {
      sheet: null,
      line: 3,
      column: 'price',
      value: 'x',
      rule: 'not_a_number',
      raw: { id: '2', name: null, price: 'x' },
    })
  })

  test('tells of so many refused rows, and only counts the others', async () => {
    const { pieces } = await copy(`id,name,price\n${'1,a,x\n'.repeat(50)}`, { columns: columns(rule('price', 'numeric')), toldRejects: 7 })
    const told = pieces.flatMap(({ rejects }) => rejects)
    const refused = pieces.reduce((sum, { rowsRead, rowsWritten }) => sum + rowsRead - rowsWritten, 0)
    assert.deepEqual([told.length, refused], [7, 50])
  })

  test('lays a person’s corrections over the rows at their lines', async () => {
    const corrections = [
      { sheet: null, line: 3, values: { price: '7', name: null } },
      { sheet: 'Other', line: 2, values: { price: '0' } },
      { sheet: null, line: 5, values: { id: '5' } },
    ]
    const { pieces, bytes } = await copy(`${text}4,b,1,too much\n`, { columns: columns(rule('price', 'numeric')), corrections })
    assert.equal(bytes, '1\ta\\tb\t2.5\n2\t\\N\t7\n3\t\t4\n5\tb\t1\n')
    assert.deepEqual(
      pieces.flatMap(({ rejects }) => rejects),
      [],
    )
  })

  test('stops at a mark that says that there is nothing', async () => {
    await assert.rejects(copy(text, { emptyWhen: '^2$' }), { code: 'empty_mark', message: 'The first column says "2" in line 3.' })
  })

  test('for a CSV quotes what needs it: null is nothing, empty text is ""', async () => {
    const { bytes } = await copy('a;b\n"x,y";"he ""said"""\n;""\n 1;"two\nlines"\n', { output: 'csv' })
    assert.equal(bytes, '"x,y","he ""said"""\n,""\n 1,"two\nlines"\n')
  })

  test('gives pieces of 256 KB at most, save for one row that is larger', async () => {
    const { pieces } = await copy(`id,name,price\n${'1,some name of it,2.5\n'.repeat(100_000)}2,${'y'.repeat(3_000_000)},3\n`)
    const [large, ...others] = pieces.map(({ bytes }) => bytes.length).sort((left, right) => right - left)
    assert.ok((large ?? 0) > 3_000_000)
    assert.ok(others.every((length) => length <= 256 * 1024))
    assert.equal(
      pieces.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
      100_001,
    )
  })
})

test('texts that Postgres cannot hold are refused, and told so that it can', async (t) => {
  const path = await temporaryFile(
    t,
    'odd.json',
    '{"a\\u0000":"x\\u0000y","b":1}\n{"a\\u0000":"z","b":"\\ud800"}\n{"a\\u0000":"right","b":"1"}\n',
  )
  const table = await readTable(path)
  assert.deepEqual(table.headers, ['a␀', 'b'])
  const extra = { from: 'extra' as const, values: [{ index: 1, name: 'b\0' }] }
  const { pieces } = await table.copy(planOf([], { columns: [...planOf(table.headers).columns, extra] }))
  const gathered = await Array.fromAsync(pieces)
  const rejects = gathered.flatMap((piece) => piece.rejects)
  assert.equal(Buffer.concat(gathered.map(({ bytes }) => bytes)).toString(), 'right\t1\t{"b␀":"1"}\n')
  assert.deepEqual(
    rejects.map(({ line, column, value, rule, raw }) => ({ line, column, value, rule, raw })),
    [
      { line: 1, column: 'a␀', value: 'x␀y', rule: 'nul_character', raw: { 'a␀': 'x␀y', b: '1' } },
      { line: 2, column: 'b', value: '\ufffd', rule: 'not_unicode', raw: { 'a␀': 'z', b: '\ufffd' } },
    ],
  )
})

function columns(price: ColumnRule): CopyPlan['columns'] {
  return [
    { from: 'file', index: 0, rule: null },
    { from: 'file', index: 1, rule: null },
    { from: 'file', index: 2, rule: price },
  ]
}

function rule(column: string, type: string): ColumnRule {
  return { column, type, format: null, isRequired: false, defaultValue: null, nullTokens: [], transform: null, sourceZone: 'UTC' }
}

async function copy(csv: string, more: Partial<CopyPlan> = {}): Promise<{ pieces: CopyPiece[]; bytes: string }> {
  const table = await openText(csv)
  const pieces: CopyPiece[] = []
  for await (const piece of table.copy(planOf(table.facts.headers, more))) pieces.push(piece)
  return { pieces, bytes: Buffer.concat(pieces.map((piece) => piece.bytes)).toString() }
}
