import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openText, read, readBytes } from './csv-reads.ts'
import { planOf } from './reading/copies.ts'

describe('a backslash', () => {
  test('that ends a quoted value is data, in one column or several', async () => {
    const written: [string, (string | null)[][]][] = [
      ['a\n"x\\"\n', [['x\\']]],
      ['path\n"C:\\dir\\"\n"y, z\\"\n"w"\n', [['C:\\dir\\'], ['y, z\\'], ['w']]],
      [
        'p,q\n"C:\\dir\\",1\n"D:\\o\\",2\n',
        [
          ['C:\\dir\\', '1'],
          ['D:\\o\\', '2'],
        ],
      ],
      [
        'p,q\n"C:\\dir\\","x\\"\n"D:\\o\\","y"\n',
        [
          ['C:\\dir\\', 'x\\'],
          ['D:\\o\\', 'y'],
        ],
      ],
      [
        'a,b,c\n"x\\","y",1\n"z","w\\"\n"u","v",3\n',
        [
          ['x\\', 'y', '1'],
          ['z', 'w\\', null],
          ['u', 'v', '3'],
        ],
      ],
    ]
    for (const [text, values] of written) assert.deepEqual((await read(text)).values, values, text)
  })

  test('that ends one value of a long file does not swallow what follows', async () => {
    const line = (n: number) => (n === 50 ? `${n},"C:\\dir\\",x` : n % 7 === 0 ? `${n},y` : `${n},"z",x`)
    const { values } = await read(`id,path,more\n${Array.from({ length: 20_000 }, (_, n) => line(n)).join('\n')}\n`)
    assert.deepEqual([values.length, values[50]], [20_000, ['50', 'C:\\dir\\', 'x']])
  })

  test('before a quote inside a value is an escape where the value would be malformed otherwise, also in one column', async () => {
    const written: [string, string[][]][] = [
      ['a\n"he said \\"hi\\" to me"\n"x"\n', [['he said "hi" to me'], ['x']]],
      [
        'a,b\n1,"\\"hi\\""\n2,"y"\n',
        [
          ['1', '"hi"'],
          ['2', 'y'],
        ],
      ],
      [
        'a,b\n1,"say \\"a, b\\" now"\n2,"y"\n',
        [
          ['1', 'say "a, b" now'],
          ['2', 'y'],
        ],
      ],
    ]
    for (const [text, values] of written) assert.deepEqual((await read(text)).values, values, text)
  })
})

describe('blanks behind delimiters', () => {
  test('are no data where quotes stand behind them', async () => {
    const written: [string, string[], (string | null)[][]][] = [
      [
        'id, name, price\n1, "x, y", 2\n2, "z", \n3, w, 4\n',
        ['id', 'name', 'price'],
        [
          ['1', 'x, y', '2'],
          ['2', 'z', null],
          ['3', 'w', '4'],
        ],
      ],
      [
        '"id", "na""me"\r\n"1",\t"x\r\ny"\r\n  "2" , "" \r\n',
        ['id', 'na"me'],
        [
          ['1', 'x\r\ny'],
          ['2', ''],
        ],
      ],
      [
        'id; name\n1; "a; b"\n2; c',
        ['id', 'name'],
        [
          ['1', 'a; b'],
          ['2', 'c'],
        ],
      ],
      ['id\tname\n1\t "a\tb"\n', ['id', 'name'], [['1', 'a\tb']]],
      [
        'id,name,price\n1,"x",1.5\n2, "y, z",2\n',
        ['id', 'name', 'price'],
        [
          ['1', 'x', '1.5'],
          ['2', 'y, z', '2'],
        ],
      ],
      ['id, name\n  indented, "x"\n', ['id', 'name'], [['  indented', 'x']]],
    ]
    for (const [text, headers, values] of written) assert.deepEqual(await read(text), { headers, values }, JSON.stringify(text))
  })

  test('are data where no quote says otherwise, or quotes are not meant so', async () => {
    const written: [string, (string | null)[][]][] = [
      [
        'id,name\n1, x\n2, y\n',
        [
          ['1', ' x'],
          ['2', ' y'],
        ],
      ],
      ['id,name,more\n1,"he said, ""x""", y\n', [['1', 'he said, "x"', ' y']]],
      [
        'id,name\n1, "nick" smith\n2,"a"\n3,"b"\n',
        [
          ['1', ' "nick" smith'],
          ['2', 'a'],
          ['3', 'b'],
        ],
      ],
      [
        'id,name\n1, "x"\n2,"a"\n3,"b"\n',
        [
          ['1', ' "x"'],
          ['2', 'a'],
          ['3', 'b'],
        ],
      ],
    ]
    for (const [text, values] of written) assert.deepEqual((await read(text)).values, values, JSON.stringify(text))
  })

  test('do not depend on where the bytes were cut, nor on the way they are copied', async () => {
    const text = `id, name, price\n${Array.from({ length: 30_000 }, (_, n) => `${n},   "x, ""${n}""",  ${n}`).join('\n')}\n`
    const { values } = await read(text)
    assert.deepEqual([values.length, values[29_999]], [30_000, ['29999', 'x, "29999"', '29999']])
    const small = 'id, name, price\n1,  "x, y", 2, \n2, z,  \\\n3, ,"a"\n4, "b", 5'
    const bytes = [...Buffer.from(small)].map((byte) => Buffer.from([byte]))
    assert.deepEqual(await readBytes(bytes), await read(small))
    assert.equal(await copyText(small), '1\tx, y\t2\n2\tz\t\\\\\n3\t\\N\ta\n4\tb\t5\n')
  })
})

describe('line ends', () => {
  test('that came out twice, \\r\\r\\n, end one line', async () => {
    const expected = {
      headers: ['a', 'b'],
      values: [
        ['1', '2'],
        ['3', '4'],
      ],
    }
    assert.deepEqual(await read('a,b\r\r\n1,2\r\r\n3,4\r\r\n'), expected)
    assert.deepEqual(await read('a,b\n\r1,2\n\r3,4\n\r'), expected)
  })

  test('of one column are carriage returns where there is no line feed', async () => {
    assert.deepEqual(await read('a\r1\r2;3\r"x\ty"'), { headers: ['a'], values: [['1'], ['2;3'], ['x\ty']] })
  })
})

test('a value here and there that holds a tab does not cut a file of one column', async () => {
  assert.deepEqual(await read('name\nAnna\nto\tm\nEva\nJan\n'), { headers: ['name'], values: [['Anna'], ['to\tm'], ['Eva'], ['Jan']] })
})

test('the Ctrl-Z that closes a text of DOS is no row', async () => {
  assert.deepEqual((await read('a,b\r\n1,2\r\n\x1a')).values, [['1', '2']])
  assert.deepEqual((await read('a,b\n1,x\x1ay\n2,z\n')).values, [
    ['1', 'x\x1ay'],
    ['2', 'z'],
  ])
})

test('several byte order marks are no part of the first name', async () => {
  assert.deepEqual((await read('\ufeff\ufeffa,b\n1,2\n')).headers, ['a', 'b'])
})

test('random tables of several columns, written in a random dialect, come back as they were, nothing stated', async () => {
  const value = fc.oneof(
    fc.constantFrom(
      '',
      'a;b',
      'C:\\dir\\',
      '\\',
      'say "hi"',
      '"',
      "O'Neil",
      'two\nlines',
      'crlf\r\nhere',
      'tab\there',
      'p|q',
      ' x ',
      '日本',
      'x\\"y',
    ),
    fc.constantFrom('alpha', 'Beta', 'Müller', '12', '3.5', '2024-01-02', 'long text with blanks'),
  )
  const table = fc
    .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 15 }))
    .chain(([columns, rows]) =>
      fc.array(fc.array(fc.option(value, { freq: 8 }), { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
    )
  const dialect = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    end: fc.constantFrom('\n', '\r\n'),
    quotesAll: fc.boolean(),
    encoding: fc.constantFrom('utf8' as const, 'utf16le' as const),
    isMarked: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(table, dialect, async (rows, { delimiter, end, quotesAll, encoding, isMarked }) => {
      const headers = (rows[0] ?? []).map((_, index) => `name ${index}`)
      const field = (text: string | null): string => {
        if (text === null) return ''
        const mustQuote = quotesAll || text === '' || text.includes('"') || text.includes(delimiter) || /[\r\n]/.test(text)
        return mustQuote ? `"${text.replaceAll('"', '""')}"` : text
      }
      const text = [headers, ...rows].map((row) => row.map(field).join(delimiter) + end).join('')
      const bytes = Buffer.from((isMarked ? '\ufeff' : '') + text, encoding)
      assert.deepEqual(await readBytes([bytes], { headerRow: 1 }), { headers, values: rows })
    }),
    { numRuns: 300 },
  )
})

test('apostrophes around one value of a file of one row are data', async () => {
  assert.deepEqual((await read("a,b\n'q',x\n")).values, [["'q'", 'x']])
  assert.deepEqual((await read("'a','b'\n'p,q','x'\n")).values, [['p,q', 'x']])
})

/** In the text format of COPY. */
async function copyText(text: string): Promise<string> {
  const table = await openText(text)
  const pieces: Uint8Array[] = []
  for await (const { bytes } of table.copy(planOf(table.facts.headers))) pieces.push(Uint8Array.from(bytes))
  return Buffer.concat(pieces).toString()
}
