import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CheerioAPI, load } from 'cheerio'
import fc from 'fast-check'
import { parsePage } from '../../../systemscripts/web/page/parse-page.ts'
import { isWellNested } from '../../../systemscripts/web/page/well-nested.ts'

const pageAround = (body: string): string => `<!doctype html><html><head><title>t</title></head><body>${body}</body></html>`

test('whatever counts as well nested gives the same tree with both parsers', () => {
  const words = 'a b p div table tbody tr td th ul li dl dd form button select option h1 h2 br hr img span input'.split(' ')
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...words).map((word) => `<${word}>`) },
    { weight: 4, arbitrary: fc.constantFrom(...words).map((word) => `</${word}>`) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'x',
        ' ',
        '&amp;',
        '&nbsp',
        '<!-- c -->',
        '<p class="a>b" id=c>',
        "<a href='?a&b=1'>",
        '<script>1<2</script>',
      ),
    },
  )
  const nested: fc.Memo<string> = fc.memo((depth) => {
    const leaf = fc.constantFrom('x', ' &lt;y ', '<br>', '<img src=a>', '<!--c-->', '<script>"</p>"</script>', '<input value="&copy;=1">')
    if (depth <= 1) return leaf
    const inner = fc.array(nested(), { maxLength: 3 }).map((parts) => parts.join(''))
    const wrapped = fc.tuple(fc.constantFrom(...words), inner).map(([word, text]) => `<${word} class=k>${text}</${word}>`)
    const row = inner.map((text) => `<tr><td>${text}</td><th></th></tr>`)
    return fc.oneof(
      leaf,
      wrapped,
      row.map((rows) => `<table><caption>c</caption><tbody>${rows}</tbody></table>`),
      row.map((rows) => `<table><thead>${rows}</thead> ${rows}<!--c-->${rows}<tfoot></tfoot>${rows}</table>`),
      inner.map((text) => `<ul><li>${text}</li></ul>`),
    )
  })
  const body = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
    nested(4),
  )
  let plain = 0
  fc.assert(
    fc.property(body, (html) => {
      const page = pageAround(html)
      if (!isWellNested(page)) return
      plain += 1
      assert.equal(shapeOf(parsePage(page)), shapeOf(load(page)))
    }),
    { numRuns: 5000 },
  )
  // It would prove little otherwise.
  assert.ok(plain > 500, `${plain} plain pages`)
})

test('pages as most servers write them are well nested', () => {
  const row = '<tr class="r"><td><a href="/c?a=1&amp;b=2">Acme &amp; Co</a></td><td>1&nbsp;%</td></tr>\n'
  const body = `<nav><ul>\n<li><a href=#>x</a></li> <li>y</li></ul></nav><table id=t><thead><tr><th>A</th></tr></thead><tbody>\n${row}${row}</tbody></table>
    <form method=post><select name=s><option value=1 selected>one</option></select><input type="text" disabled /><p>a<br/>b</p></form>`
  assert.equal(isWellNested(pageAround(body)), true)
  assert.equal(
    isWellNested(`\ufeff\n<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n</head>\n<body>\n</body>\n</html>\n`),
    true,
  )
})

test('what the standard would move, close or drop is not', () => {
  const bodies = ['<p>a<div>b</div></p>', '<table><tbody>x<tr></tr></tbody></table>', '<li>a<li>b', '<b><i>x</b></i>']
  const more = [
    '<a href=x><a href=y></a></a>',
    '<div/>x</div>',
    '<h1><h2>x</h2></h1>',
    '<svg><p></p></svg>',
    '<noscript></noscript>',
    '<td>x</td>',
    '<!-->x-->',
  ]
  for (const body of [...bodies, ...more]) assert.equal(isWellNested(pageAround(body)), false, body)
  for (const page of ['', 'text', '<p>a</p>', '<html><body></body></html>', '<html><head></head><body></body></html>x']) {
    assert.equal(isWellNested(page), false, page)
  }
})

/** Elements, attributes and texts, without blanks between elements. */
function shapeOf($: CheerioAPI): string {
  type Node = Exclude<Parameters<typeof load>[0], string | Buffer | unknown[]>
  const write = (node: Node): string => {
    if (node.type === 'text') return node.data.trim() === '' ? '' : JSON.stringify(node.data)
    if (node.type === 'tag' || node.type === 'script' || node.type === 'style') {
      return `(${node.name} ${JSON.stringify(node.attribs)} ${node.children.map(write).join('')})`
    }
    return node.type === 'root' ? node.children.map(write).join('') : ''
  }
  return $.root().toArray().map(write).join('')
}
