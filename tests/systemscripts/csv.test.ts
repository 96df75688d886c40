import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openText, read, refusal, rowsOf } from './csv-reads.ts'

describe('fields', () => {
  test('an unquoted empty field is null and a quoted one is empty text', async () => {
    assert.deepEqual(await read('a,b,c\n,"",x\n'), { headers: ['a', 'b', 'c'], values: [[null, '', 'x']] })
  })

  test('delimiters, line ends and doubled quotes inside quotes are data', async () => {
    const { values } = await read('a,b\n"x,y","he said ""no""\r\nand left"\n')
    assert.deepEqual(values, [['x,y', 'he said "no"\r\nand left']])
  })

  test('a quote inside an unquoted field is a character like others', async () => {
    assert.deepEqual((await read('size,name\n5" pipe,O"Hara\n')).values, [['5" pipe', 'O"Hara']])
  })

  test('texts that look like numbers, truth or nothing stay as they are', async () => {
    const { values } = await read('a,b,c,d,e\n00123,1E5,TRUE,NA,  x \n')
    assert.deepEqual(values, [['00123', '1E5', 'TRUE', 'NA', '  x ']])
  })

  test('blanks between a closing quote and the delimiter are passed over', async () => {
    assert.deepEqual((await read('a,b\n"x" ,"y" \r\n')).values, [['x', 'y']])
  })
})

describe('lines', () => {
  test('CRLF, LF and CR each end a record, and the last record needs none', async () => {
    for (const end of ['\r\n', '\n', '\r']) {
      assert.deepEqual((await read(`a,b${end}1,2${end}3,4`)).values, [
        ['1', '2'],
        ['3', '4'],
      ])
    }
  })

  test('a carriage return alone is data where lines end otherwise', async () => {
    assert.deepEqual((await read('a,b\n1\r2,3\r\n')).values, [['1\r2', '3']])
  })

  test('lines that end in every way are told apart from returns that are data', async () => {
    assert.deepEqual((await read('a,b\r1,2\n3,4\r\n5,6\r')).values, [
      ['1', '2'],
      ['3', '4'],
      ['5', '6'],
    ])
  })

  test('a row knows the physical line on which it starts', async () => {
    const table = await openText('a,b\n"1\n2\n3",x\n\n4,y\n')
    assert.deepEqual(
      (await rowsOf(table)).map((row) => row.line),
      [2, 6],
    )
  })

  test('lines with nothing on them are no rows, but a row of empty fields is one', async () => {
    assert.deepEqual((await read('a,b\n\n1,2\n,\n\r\n')).values, [
      ['1', '2'],
      [null, null],
    ])
  })
})

describe('ragged rows', () => {
  test('a row with fewer fields than names is filled with nulls', async () => {
    assert.deepEqual((await read('a,b,c\n1\n')).values, [['1', null, null]])
  })

  test('empty fields beyond the names are tolerated', async () => {
    assert.deepEqual((await read('a,b\n1,2,,""\n')).values, [['1', '2']])
  })

  test('a value beyond the names is refused with its line and both counts', async () => {
    const error = await refusal('a,b\n1,2\n1,2,3\n')
    assert.equal(error.code, 'row_has_too_many_fields')
    assert.match(error.message, /line 3/)
    assert.match(error.detail ?? '', /3 fields, the header 2/)
  })

  test('a delimiter at the end of every line makes no column', async () => {
    assert.deepEqual(await read('a,b,\n1,2,\n'), { headers: ['a', 'b'], values: [['1', '2']] })
  })

  test('a blank name over values stays a column', async () => {
    assert.deepEqual(await read('a,b,\n1,2,3\n'), { headers: ['a', 'b', ''], values: [['1', '2', '3']] })
  })
})

describe('delimiter', () => {
  test('comma, semicolon, tab and bar are told apart outside quotes', async () => {
    for (const delimiter of [',', ';', '\t', '|']) {
      const text = ['a', 'b', 'c']
        .join(delimiter)
        .concat('\n', ['"x,;\t|y"', '1,5', '"2;5"'].map((f) => (f === '1,5' ? '"1,5"' : f)).join(delimiter), '\n')
      assert.deepEqual(await read(text), { headers: ['a', 'b', 'c'], values: [['x,;\t|y', '1,5', '2;5']] })
    }
  })

  test('decimal commas do not make a semicolon file a comma file', async () => {
    assert.deepEqual((await read('day;value\n1.2.;1,5\n2.2.;2,5\n')).values, [
      ['1.2.', '1,5'],
      ['2.2.', '2,5'],
    ])
  })

  test('lists inside a column do not win over the delimiter', async () => {
    assert.deepEqual((await read('name,tags\nA,x;y;z\nB,p;q;r\n')).headers, ['name', 'tags'])
  })

  test('a file of one column needs no delimiter', async () => {
    assert.deepEqual(await read('name\nA\nB\n'), { headers: ['name'], values: [['A'], ['B']] })
  })

  test('what is stated is taken, also tab by its name', async () => {
    assert.deepEqual((await read('a^b\n1^2\n', { delimiter: '^' })).values, [['1', '2']])
    assert.deepEqual((await read('a\tb\n1,1\t2\n', { delimiter: 'tab' })).values, [['1,1', '2']])
    assert.deepEqual((await read('a\tb\n1,1\t2\n', { delimiter: '\\t' })).values, [['1,1', '2']])
    assert.deepEqual((await read("a,b\n'1,1',2\n", { quote: "'" })).values, [['1,1', '2']])
    assert.deepEqual((await read('a,b\n"1,2"\n', { quote: '' })).values, [['"1', '2"']])
  })

  test('rare delimiters are found when every record agrees', async () => {
    for (const delimiter of ['^', '~', ':', '\x01']) {
      const text = ['a,b,c', '1,x y,3', '4,z,6'].join('\n').replaceAll(',', delimiter)
      assert.deepEqual((await read(text)).headers, ['a', 'b', 'c'])
    }
    assert.deepEqual((await read('time\n10:30:00\n11:45:00\n')).headers, ['time'])
    assert.deepEqual((await read('link\nhttp://a\nhttp://b\n')).values, [['http://a'], ['http://b']])
  })

  test('a delimiter beyond ASCII is taken when it is stated', async () => {
    assert.deepEqual((await read('a¦b\n1©¦"2¦3"\n', { delimiter: '¦' })).values, [['1©', '2¦3']])
  })

  test('apostrophes quote where every line says so, and are text elsewhere', async () => {
    assert.deepEqual((await read("a,b\n'1,5',x\n'2,5','it''s'\n'3',y\n")).values, [
      ['1,5', 'x'],
      ['2,5', "it's"],
      ['3', 'y'],
    ])
    assert.deepEqual((await read("a,b\n'tis,x\nO'Hara,y\n")).values, [
      ["'tis", 'x'],
      ["O'Hara", 'y'],
    ])
  })

  test('a backslash before a quote is found where only that makes sense, or stated', async () => {
    const text = 'a,b\n"he said \\"no\\", twice","c:\\\\d"\n1,2\n'
    const expected = [
      ['he said "no", twice', 'c:\\d'],
      ['1', '2'],
    ]
    assert.deepEqual((await read(text)).values, expected)
    assert.deepEqual((await read(text, { quote: '"\\' })).values, expected)
    assert.deepEqual((await read('a,b\n"c:\\d\\","x"\n')).values, [['c:\\d\\', 'x']])
  })

  test('the line sep=; decides and is no row', async () => {
    assert.deepEqual(await read('sep=;\na;b\n1;2\n'), { headers: ['a', 'b'], values: [['1', '2']] })
  })

  test('more than one character is refused', async () => {
    assert.equal((await refusal('a,b\n', { delimiter: '||' })).code, 'delimiter_not_one_character')
  })
})

describe('header', () => {
  test('a title above the table is passed over', async () => {
    const table = await openText('Sales report\nexported,monday\n\nid,name,price\n1,A,2.5\n2,B,3\n')
    assert.deepEqual([table.facts.headers, table.facts.headerLine], [['id', 'name', 'price'], 4])
    assert.equal((await rowsOf(table)).length, 2)
  })

  test('a stated line is taken, whatever stands above', async () => {
    const table = await openText('x,y\na,b\n1,2\n', { headerRow: 2 })
    assert.deepEqual(
      [table.facts.headers, table.facts.headerLine, (await rowsOf(table)).map((row) => row.values)],
      [['a', 'b'], 2, [['1', '2']]],
    )
  })

  test('a stated line beyond the end is refused', async () => {
    assert.equal((await refusal('a,b\n1,2\n', { headerRow: 9 })).code, 'header_row_missing')
  })

  test('a stated line far down is found', async () => {
    const text = `${'note\n'.repeat(70_000)}a,b\n1,2\n`
    assert.deepEqual((await read(text, { headerRow: 70_001, delimiter: ',' })).values, [['1', '2']])
  })

  test('blank and duplicate names stay as they are', async () => {
    assert.deepEqual((await read('a,,a\n1,2,3\n')).headers, ['a', '', 'a'])
  })

  test('a header alone is a table without rows', async () => {
    assert.deepEqual(await read('a,b\n'), { headers: ['a', 'b'], values: [] })
  })
})
