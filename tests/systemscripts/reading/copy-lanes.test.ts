import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CopyPiece, CopyPlan } from '../../../systemscripts/copy-plan.ts'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { createRowEncoder } from '../../../systemscripts/reading/row-encoder.ts'
import { openCsv, rowsOf } from '../csv-reads.ts'
import { rule } from '../values/rules.ts'
import { clientWithItems, copied, planOf } from './copies.ts'

const WIDTH = 4

describe('a CSV copied from byte to byte', () => {
  test('gives Postgres the rows that reading it as texts gives, however nasty the file', async (t) => {
    const client = await clientWithItems(t, WIDTH + 2)
    const field = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('', '""', 'x', '00123', 'ü€𝄞', '"a,b"', '"two\nlines"', '"he said ""no"""') },
      {
        weight: 2,
        arbitrary: fc.constantFrom('\\', '\\N', '\\.', '"\\."', '\t', '"\t"', '\\t', '\r', '"\r"', '"\r\n"', '5" pipe', '"" ', '"x" \t'),
      },
      { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom('a', '"', '\\', ' ', '\t', '\r', 'é', "'", '.', 'N') }) },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }).map((text) => `"${text.replaceAll('\0', '').replaceAll('"', '""')}"`) },
    )
    const record = fc.oneof(
      { weight: 8, arbitrary: fc.array(field, { minLength: WIDTH, maxLength: WIDTH }) },
      { weight: 2, arbitrary: fc.array(field, { minLength: 0, maxLength: WIDTH + 2 }) },
    )
    const lineEnd = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n')
    let compared = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(record, lineEnd), { maxLength: 25 }), fc.integer({ min: 1, max: 200 }), async (records, size) => {
        // Enough plain lines for the sample to say that a lone return ends none.
        const header = `one,two,three,four\n${'1,2,3,4\n'.repeat(100)}`
        const text = header + records.map(([fields, end]) => fields.join(',') + end).join('')
        const open = () => openCsv(cut(Buffer.from(text), size), { delimiter: ',', quote: '"', headerRow: 1 })
        const byBytes = await open()
          .then(
            async (table) => {
              const columns = [
                { from: 'constant' as const, value: '17\t\\' },
                ...planOf(table.facts.headers).columns,
                { from: 'line' as const },
              ]
              return copied(client, WIDTH + 2, table.copy(planOf([], { columns })))
            },
            (error: unknown) => error,
          )
          .catch((error: unknown) => error)
        if (byBytes instanceof PermanentError) {
          await assert.rejects(async () => rowsOf(await open()), { code: byBytes.code, message: byBytes.message })
          return
        }
        if (byBytes instanceof Error) throw byBytes
        const { rows, rejects } = Object(byBytes)
        const refused = new Set(rejects.map(({ line }: { line: number }) => line))
        const expected = recordsOf(text).filter(({ line }) => !refused.has(line))
        assert.deepEqual(
          rows,
          expected.map(({ line, values }) => ['17\t\\', ...Array.from({ length: WIDTH }, (_, at) => values[at] ?? null), String(line)]),
        )
        for (const { line, values } of recordsOf(text)) {
          const isTooWide = values.slice(WIDTH).some((value) => value)
          assert.equal(refused.has(line), isTooWide, `line ${line}`)
        }
        compared += rows.length
      }),
      { numRuns: 400 },
    )
    assert.ok(compared > 500, `only ${compared} rows were compared`)
  })

  test('converts values to the very bytes that rows of texts become', async () => {
    const field = fc.oneof(
      fc.constantFrom(
        '',
        '""',
        '12',
        '"12"',
        ' 12',
        '-7',
        '1.5',
        '2024-02-28',
        '2024-02-30',
        '2024-02-28 10:00:00',
        'NA',
        'true',
        'Yes',
        'x',
      ),
      fc.constantFrom('\\', '"a\tb"', '"a""b"', '"""NA"""', 'é', '3f1c9a52-9d0f-4c9e-8b1a-2f6f0d8a7c11', '99999999999', '123456'),
    )
    const types = ['integer', 'numeric(6,2)', 'date', 'timestamp without time zone', 'boolean', 'uuid', 'text', 'character varying(4)']
    const withDefault = ['integer', 'numeric(6,2)', 'text', 'character varying(4)']
    const wanted = fc.record({
      type: fc.constantFrom(...types),
      nullTokens: fc.constantFrom<string[][]>([], ['NA', ''], ['12']),
      defaultValue: fc.constantFrom(null, '1'),
      isRequired: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(field, { minLength: WIDTH, maxLength: WIDTH }), { minLength: 1, maxLength: 20 }),
        fc.array(wanted, { minLength: WIDTH, maxLength: WIDTH }),
        async (records, rules) => {
          const text = `one,two,three,four\n${records.map((fields) => fields.join(',')).join('\n')}\n`
          const open = () => openCsv([Buffer.from(text)], { delimiter: ',', quote: '"', headerRow: 1 })
          const columns: CopyPlan['columns'] = rules.map(({ type, defaultValue, ...more }, index) => ({
            from: 'file',
            index,
            rule: rule(type, { ...more, defaultValue: withDefault.includes(type) ? defaultValue : null }),
          }))
          const table = await open()
          const copies: CopyPiece[] = []
          for await (const piece of table.copy(planOf([], { columns }))) copies.push(piece)
          const encoder = await createRowEncoder(planOf([], { columns }), table.facts)
          for (const { line, values } of await rowsOf(await open())) encoder.add(line, values, [])
          const encoded = encoder.take()
          assert.deepEqual(copies.map(withText), encoded === null ? [] : [withText(encoded)])
        },
      ),
      { numRuns: 500 },
    )
  })

  test('writes the very bytes that the rows of any other kind of file are written as', async () => {
    const text = 'a,b\n"x\ty",\\N\n,""\n"q""q\r\n",ü\n"a" ,lone\rreturn\n'
    const table = await openCsv([Buffer.from(text)])
    const plan = planOf(table.facts.headers)
    const pieces = []
    for await (const piece of table.copy(plan)) pieces.push(piece.bytes)
    const encoder = await createRowEncoder(plan, table.facts)
    for (const { line, values } of await rowsOf(await openCsv([Buffer.from(text)]))) encoder.add(line, values, [])
    assert.equal(Buffer.concat(pieces).toString(), Buffer.from(encoder.take()?.bytes ?? []).toString())
  })
})

function withText({ bytes, ...piece }: CopyPiece): object {
  return { ...piece, text: Buffer.from(bytes).toString() }
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, piece) => bytes.subarray(piece * size, (piece + 1) * size))
}

/** Another parser of the same rules, one character at a time, for text that it is known to be right for; the header is left out. */
function recordsOf(text: string): { line: number; values: (string | null)[] }[] {
  const records: { line: number; values: (string | null)[] }[] = []
  let [line, at] = [1, 0]
  while (at < text.length) {
    const start = line
    const values: (string | null)[] = []
    for (let isOver = false; !isOver; ) {
      let value: string | null = ''
      if (text[at] === '"') {
        at += 1
        while (text[at] !== '"' || text[at + 1] === '"') {
          if (text[at] === '"') at += 1
          if (text[at] === '\n') line += 1
          value += text[at]
          at += 1
        }
        at += 1
        while (at < text.length && text[at] !== ',' && text[at] !== '\n') at += 1
      } else {
        while (at < text.length && text[at] !== ',' && text[at] !== '\n') {
          value += text[at]
          at += 1
        }
        if (text[at] !== ',' && value.endsWith('\r')) value = value.slice(0, -1)
        if (value === '') value = null
      }
      values.push(value)
      isOver = text[at] !== ','
      at += 1
    }
    line += 1
    if (values.length > 1 || values[0] !== null) records.push({ line: start, values })
  }
  return records.slice(1)
}
