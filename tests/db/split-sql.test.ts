import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitStatements } from '../../src/db/split-sql.ts'

test('statements are separated by semicolons and know their first line', () => {
  assert.deepEqual(splitStatements('select 1;\n\n-- why\nselect\n  2;\nselect 3'), [
    { text: 'select 1', line: 1 },
    { text: 'select\n  2', line: 4 },
    { text: 'select 3', line: 6 },
  ])
})

test('a text of blanks, comments and bare semicolons has no statements', () => {
  assert.deepEqual(splitStatements(' ;\n-- nothing; here\n/* nor; /* nested; */ here */;;'), [])
})

for (const [what, statement] of [
  ['a string', `select 'a;b''c;'`],
  ['a string that ends in a backslash', `select 'C:\\', 'x;'`],
  ['an escape string with an escaped quote', `select E'it\\'s; here', e'x\\\\'`],
  ['a quoted name', `create table "odd;""name" (n integer)`],
  ['a dollar quote', 'do $$ begin perform 1; end $$'],
  ['a dollar quote that holds another', `create function f() returns text language sql as $body$ select $$a;$$ || '$x$'; $body$`],
  ['a parameter and a name with a dollar sign', 'prepare p as select $1, a$b$c from t'],
  ['a comment inside', 'select 1 /* one; */ + -- two;\n 2'],
  [
    'a body between begin atomic and end',
    'create function f() returns integer begin atomic select case when true then 1 end; select 2; end',
  ],
] as const) {
  test(`a semicolon inside ${what} does not separate`, () => {
    assert.deepEqual(
      splitStatements(`${statement};\nselect 2;`).map(({ text }) => text),
      [statement, 'select 2'],
    )
  })
}

test('begin as a statement of its own separates like any other', () => {
  assert.equal(splitStatements('begin; select 1; end;').length, 3)
})
