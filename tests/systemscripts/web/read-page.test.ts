import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldRule, PageRules } from '../../../systemscripts/web/page/rules.ts'
import { compilePageRules, readPage } from '../../../systemscripts/web/read-page.ts'

const url = 'https://example.org/a/page.html'

function field(columnName: string, more: Partial<FieldRule> = {}): FieldRule {
  return { columnName, ...more }
}

function rowsOf(html: string, rules: PageRules): Record<string, string | null>[] {
  return readPage({ html, url }, rules).rows
}

test('fields are texts as shown, attributes, whole addresses and parts by pattern', () => {
  const html = `<title>An &amp; Event</title><body><h1> Big
    <b>news</b><br>today <span hidden>old</span></h1><a id=x href="../b?c=1#d" data-id=7>more</a><p class=empty> </p></body>`
  const [row] = rowsOf(html, {
    fields: [
      field('headline', { selector: 'h1' }),
      field('link', { selector: '#x', attribute: 'href' }),
      field('number', { selector: '#x', attribute: 'data-id' }),
      field('word', { selector: 'h1', pattern: 'Big (\\w+)|(nothing)' }),
      field('whole', { selector: 'h1', pattern: 't.d' }),
      field('unmatched', { selector: 'h1', pattern: '\\d+' }),
      field('missing', { selector: 'h2' }),
      field('empty', { selector: '.empty' }),
      field('said', { pageText: true, pattern: '(today)\\s+more' }),
      field('title', { selector: 'title' }),
    ],
  })
  assert.deepEqual(row, {
    headline: 'Big news\ntoday',
    link: 'https://example.org/b?c=1',
    number: '7',
    word: 'news',
    whole: 'tod',
    unmatched: null,
    missing: null,
    empty: null,
    said: 'today',
    title: 'An & Event',
  })
})

const table = `<base href="/lists/"><h2>List</h2><table><tr><th colspan=2>Company  Name</th><th>TICKER</th></tr>
  <tr><td>1</td><td>Acme <i>Inc</i></td><td>ACM</td></tr><tr><td>2</td><td>** KOL Dr. X</td><td></td></tr>
  <tr><td>3</td><td>Beta</td><td><a href="beta.xls">BET</a></td></tr></table>`

test('rows come by selector, with cells by position, by header, and fields of the whole page beside them', () => {
  const reading = readPage(
    { html: table, url },
    {
      rowSelector: 'table:first tr:has(td)',
      fields: [
        field('number', { headers: ['no such', 'company name'] }),
        field('company', { selector: 'td:nth-child(2)', skipWhen: '^\\*\\* KOL|^$' }),
        field('ticker', { headers: ['Ticker'] }),
        field('file', { headers: ['ticker'], selector: 'a', attribute: 'href' }),
        field('first', { headers: ['#1'] }),
        field('list', { selector: 'page: h2' }),
        field('unknown', { headers: ['price'] }),
      ],
    },
  )
  const common = { list: 'List', unknown: null }
  assert.deepEqual(reading.rows, [
    { number: '1', company: 'Acme Inc', ticker: 'ACM', file: null, first: '1', ...common },
    { number: '3', company: 'Beta', ticker: 'BET', file: 'https://example.org/lists/beta.xls', first: '3', ...common },
  ])
  assert.equal(reading.skippedRows, 1)
})

test('how often each selector found something is counted', () => {
  const { statistics } = readPage(
    { html: table, url },
    {
      rowSelector: 'tr:has(td)',
      fileSelector: 'a[href$=".xls"]',
      fields: [
        field('ticker', { selector: 'td:last-child' }),
        field('gone', { selector: '.price' }),
        field('found', { selector: 'h2', stateWord: 'List' }),
      ],
    },
  )
  assert.deepEqual(statistics, [
    { name: 'found', selector: 'h2', matched: 1, filled: 1 },
    { name: 'row_selector', selector: 'tr:has(td)', matched: 3, filled: 3 },
    { name: 'ticker', selector: 'td:last-child', matched: 3, filled: 2 },
    { name: 'gone', selector: '.price', matched: 0, filled: 0 },
    { name: 'file_selector', selector: 'a[href$=".xls"]', matched: 1, filled: 1 },
  ])
})

test('a row inside another belongs to both, and positions count within each row', () => {
  const html = '<ul><li>a<ul><li>b <b>1</b><b>2</b></li></ul></li><li>c <b>3</b></li></ul>'
  const rules = {
    rowSelector: 'li',
    fields: [field('first', { selector: 'b:first' }), field('any', { selector: 'b' }), field('last', { selector: 'b:last' })],
  }
  assert.deepEqual(rowsOf(html, rules), [
    { first: '1', any: '1', last: '2' },
    { first: '1', any: '1', last: '2' },
    { first: '3', any: '3', last: '3' },
  ])
  assert.deepEqual(rowsOf('<p>no list</p>', rules), [])
})

test('the first rule that holds says the state, and all that a rule names must hold', () => {
  const reader = compilePageRules({
    fields: [
      field('denied', { stateWord: 'AccessDenied', statusCodes: [403, 401] }),
      field('invalid', { stateWord: 'Invalid', pageText: true, pattern: 'Invalid Event ID' }),
      field('empty', { stateWord: 'Empty', pageText: true, pattern: '[Nn]o companies found' }),
      field('active', { stateWord: 'Active', selector: 'table td', pattern: '\\w' }),
      field('alert', { stateWord: 'Alert', selector: 'div', attribute: 'class', pattern: 'alert' }),
      field('moved', { stateWord: 'Moved', selector: 'p', statusCodes: [200], pageText: true, pattern: 'moved' }),
    ],
  })
  const stateOf = (html: string, status = 200): string | null => reader.read({ html, url, status }).state
  assert.equal(stateOf('Invalid Event ID: 5', 403), 'AccessDenied')
  assert.equal(stateOf('<div class="alert">Invalid <b>Event</b> ID: 5</div>'), 'Invalid')
  assert.equal(stateOf('<table><tr><td>no companies found'), 'Empty')
  assert.equal(stateOf('<table><tr><td>Acme'), 'Active')
  assert.equal(stateOf('<table><tr><td> '), null)
  assert.equal(stateOf('<div class="red alert"></div>'), 'Alert')
  assert.equal(stateOf('<p>it moved'), 'Moved')
  assert.equal(stateOf('<p>it moved', 404), null)
  assert.equal(stateOf('it moved'), null)
  assert.equal(stateOf('<script>Invalid Event ID</script><p hidden>Invalid Event ID'), null)
})

test('links are whole, each once, and only those of the web', () => {
  const html = `<nav><a href="/p?page=2" rel=next>2</a></nav><a href=one#x>One</a><a href=one#y>again</a><a href="mailto:a@b">m</a>
    <a href="javascript:go()">j</a><a href="https://[broken">b</a><a href="//other.org/two"> T wo </a><div class=box><a href=three.xls>x</a></div>`
  const reading = readPage(
    { html, url },
    { fields: [], followSelector: 'a', followPattern: '/(one|two)$', nextSelector: 'a[rel=next]', fileSelector: '.box' },
  )
  assert.deepEqual(reading.follow, ['https://example.org/a/one', 'https://other.org/two'])
  assert.equal(reading.next, 'https://example.org/p?page=2')
  assert.deepEqual(reading.files, [{ url: 'https://example.org/a/three.xls', text: 'x' }])
})

test('rules that cannot be read are refused with what was meant', () => {
  const refusal = (rules: Partial<PageRules>) => () => compilePageRules({ fields: [], ...rules })
  assert.throws(refusal({ rowSelector: 'tr[' }), { code: 'selector_invalid', message: 'The row_selector cannot be read: "tr["' })
  assert.throws(refusal({ fileSelector: '//a[@href]' }), { code: 'selector_invalid', hint: /XPath/ })
  assert.throws(refusal({ fields: [field('a', { selector: 'a::attr(href)' })] }), { code: 'selector_invalid', hint: /attribute/ })
  assert.throws(refusal({ fields: [field('a', { selector: 'a:unheard' })] }), { code: 'selector_invalid' })
  assert.throws(refusal({ fields: [field('a', { pattern: '(' })] }), { code: 'pattern_invalid', message: /pattern of column "a"/ })
  assert.throws(refusal({ followPattern: '[' }), { code: 'pattern_invalid' })
})

test('a pattern that would never end is stopped', () => {
  const html = `<p>${'a'.repeat(40)}!</p>`
  assert.throws(() => readPage({ html, url }, { fields: [field('a', { selector: 'p', pattern: '^(a+)+$' })] }), {
    code: 'pattern_too_slow',
  })
  const long = `<p>${'a b '.repeat(50_000)}ID: 77</p>`
  assert.equal(rowsOf(long, { fields: [field('a', { pageText: true, pattern: 'ID:\\s*(\\d+)' })] })[0]?.a, '77')
})

test('a page made to be slow is given up', () => {
  const reader = compilePageRules({ fields: [field('a', { selector: 'p' })] }, 0.3)
  assert.throws(() => reader.read({ html: '<div>'.repeat(200_000), url }), { code: 'page_too_slow' })
})

test('what is nothing of a page gives no rows and no error', () => {
  for (const html of ['', '   ', '\0\0\0', '<', '</html>', '{"a":1}', '<table>', `<div>`.repeat(3000)]) {
    assert.deepEqual(rowsOf(html, { rowSelector: 'tr', fields: [field('a')] }), [], html.slice(0, 10))
    assert.equal(rowsOf(html, { fields: [field('a', { selector: 'td' })] })[0]?.a, null)
  }
})
