import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filePattern, type PatternKind } from '../../systemscripts/file-pattern.ts'

test('a glob means the whole name', () => {
  assertMatches('glob', '*.csv', ['a.csv', 'A b.csv', 'a\nb.csv'], ['a.csv.gz', 'a.CSV', 'acsv', 'x/a.csv'])
  assertMatches('glob', 'prices_????.xls*', ['prices_2024.xls', 'prices_2024.xlsx'], ['prices_24.xls', 'old prices_2024.xls'])
  assertMatches('glob', '*.{csv,txt}', ['a.csv', 'a.txt'], ['a.xls', 'a.{csv,txt}'])
  assertMatches('glob', '[ab][!0-9].[xX]', ['ac.x', 'bd.X'], ['a1.x', 'cc.x'])
})

test('characters that mean something elsewhere are themselves', () => {
  assertMatches('glob', 'a+(1).$^|x', ['a+(1).$^|x'], ['aa1.$^|x'])
  assertMatches('glob', '\\*[*].csv', ['**.csv'], ['ab.csv'])
  assertMatches('glob', 'a[b', ['a[b'], ['ab'])
  assertMatches('glob', '{a', ['{a'], ['a'])
  assertMatches('glob', 'ü𝄞?', ['ü𝄞𝄞'], ['ü𝄞'])
})

test('a star stays within a folder, two stars do not', () => {
  assertMatches('glob', '2024/*.csv', ['2024/a.csv'], ['2024/x/a.csv', 'a.csv'])
  assertMatches('glob', '**/*.csv', ['a.csv', 'x/a.csv', 'x/y/a.csv'], ['x/a.txt'])
})

test('a regular expression means the whole name too', () => {
  assertMatches('regex', 'price_\\d+\\.csv', ['price_1.csv'], ['price_1.csv.bak', 'my price_1.csv', 'price_x.csv'])
  assertMatches('regex', 'a|b', ['a', 'b'], ['ab', 'ax'])
  assertMatches('regex', '^\\p{Lu}.*$', ['Über.csv'], ['über.csv'])
})

test('hidden and unfinished names are taken only when the pattern says them', () => {
  const unfinished = [
    '.hidden.xlsx',
    '~$book.xlsx',
    'book.xlsx.part',
    'book.tmp',
    'book.xlsx.filepart',
    'book.xlsx~',
    'book.crdownload',
    'BOOK.TMP',
  ]
  assertMatches('glob', '*', ['book.xlsx'], unfinished)
  assertMatches('regex', '.*', ['book.xlsx'], unfinished)
  assertMatches('glob', '*.tmp', ['a.tmp'], ['.a.tmp', '~a.tmp'])
  assertMatches('glob', '.h*', ['.hidden.xlsx'], ['.h.part'])
  assertMatches('glob', '~$*', ['~$book.xlsx'], [])
  assertMatches('regex', '^.+\\.part$', ['x.part'], ['.x.part'])
  assertMatches('glob', 'sub/*.tmp', ['sub/a.tmp'], ['sub/.a.tmp'])
})

test('a pattern that cannot be read is refused with the reason', () => {
  assert.throws(() => filePattern('a(', 'regex'), {
    code: 'file_pattern_invalid',
    message: 'File pattern "a(" is no regular expression that can be used',
  })
  assert.throws(() => filePattern('[z-a]', 'glob'), { code: 'file_pattern_invalid' })
})

function assertMatches(kind: PatternKind, pattern: string, matching: string[], others: string[]): void {
  const matches = filePattern(pattern, kind)
  for (const name of matching) assert.ok(matches(name), `${pattern} should match ${JSON.stringify(name)}`)
  for (const name of others) assert.ok(!matches(name), `${pattern} should not match ${JSON.stringify(name)}`)
}

test('a pattern that could look at a name for ever is refused, so that no name holds up a worker', () => {
  assert.throws(() => filePattern('(a+)+[.]csv', 'regex'), { code: 'file_pattern_invalid', detail: /can take for ever/ })
})

test('a glob matches what a plain reading of it matches', () => {
  const texts = (letters: string, length: number): string[] =>
    length === 0 ? [''] : texts(letters, length - 1).flatMap((text) => [...letters].map((letter) => text + letter))
  const names = ['', 'a', 'b', 'ab', 'aab', 'abab', 'babba', 'aabbaab', '/', 'a/', '/b', 'a/b', 'ab/ba', 'a/a/b', 'a//b']
  for (const glob of [2, 3, 4, 5].flatMap((length) => texts('ab*?/', length))) {
    const is = filePattern(glob, 'glob')
    for (const name of names) assert.equal(is(name), reads(glob, name), `${glob} ${name}`)
  }
  for (const inner of ['', 'a', 'a,b', ',a', '*,b', 'a{b,},b', '{a,b},{ab,}', '**/,a', '\\,,a']) {
    const glob = `*a{${inner}}b`
    const is = filePattern(glob, 'glob')
    for (const name of [...names, ',b', 'a,b'])
      assert.equal(
        is(name),
        spelledOut(glob).some((one) => reads(one, name)),
        `${glob} ${name}`,
      )
  }
})

test('no glob takes long with a name made to be slow', { timeout: 10_000 }, () => {
  const name = 'a'.repeat(250)
  const path = 'a/'.repeat(2000)
  for (const glob of [`${'*a'.repeat(60)}*b`, `${'*{a,aa}'.repeat(30)}b`, `${'{*a,*}'.repeat(30)}b`, `${'[a-z]*'.repeat(60)}b`]) {
    assert.equal(filePattern(glob, 'glob')(name), false)
  }
  for (const glob of [`${'**a'.repeat(30)}b`, `${'**/'.repeat(60)}b`, `${'**/*'.repeat(30)}b`, `${'**/a/'.repeat(30)}b`]) {
    assert.equal(filePattern(glob, 'glob')(path), false)
  }
})

test('signs that only some programs know in a set are members like others', () => {
  assertMatches('glob', 'a[~&|^].csv', ['a~.csv', 'a&.csv', 'a|.csv', 'a^.csv'], ['ab.csv'])
})

test('braces that do not close are refused', () => {
  assert.throws(() => filePattern('{a{b}', 'glob'), { code: 'file_pattern_invalid', detail: 'A brace { has no } that closes it.' })
})

/** The definition, a character at a time. */
function reads(glob: string, name: string): boolean {
  if (glob === '') return name === ''
  if (glob.startsWith('**/')) {
    return reads(glob.slice(3), name) || [...name].some((sign, at) => sign === '/' && reads(glob.slice(3), name.slice(at + 1)))
  }
  if (glob.startsWith('**')) return reads(glob.slice(2), name) || (name !== '' && reads(glob, name.slice(1)))
  if (glob.startsWith('*')) return reads(glob.slice(1), name) || (name !== '' && name[0] !== '/' && reads(glob, name.slice(1)))
  if (glob.startsWith('\\')) return reads(glob.slice(1), name)
  return name !== '' && (glob[0] === '?' ? name[0] !== '/' : glob[0] === name[0]) && reads(glob.slice(1), name.slice(1))
}

/** The same without braces. */
function spelledOut(glob: string): string[] {
  const [innermost, inside = ''] = /\{([^{}]*)\}/.exec(glob) ?? []
  if (innermost === undefined) return [glob]
  const ways = inside.replaceAll('\\,', '\0').split(',')
  return ways.flatMap((way) => spelledOut(glob.replace(innermost, () => way.replaceAll('\0', '\\,'))))
}
