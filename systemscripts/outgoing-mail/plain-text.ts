/** What a page of HTML shows, as text: cells of a row with tabs between them, links with their addresses. Empty for none. */
export async function plainText(html: string): Promise<string> {
  if (html.trim() === '') return ''
  const { load } = await import('cheerio')
  const page = load(html)
  page('script, style, head, title, template').remove()
  page('img').replaceWith((_, image) => page(image).attr('alt') ?? '')
  page('a[href^="http"]').each((_, link) => {
    const address = page(link).attr('href') ?? ''
    if (page(link).text().trim() !== address) page(link).append(` (${address})`)
  })
  // Line ends of the source mean nothing; those that are shown are put in anew.
  page('*')
    .contents()
    .each((_, node) => {
      if (node.type === 'text') node.data = node.data.replace(/\s+/g, ' ')
    })
  page('td, th').each((_, cell) => {
    if (page(cell).next('td, th').length > 0) page(cell).append('\t')
  })
  page('br, p, div, tr, li, h1, h2, h3, h4, h5, h6, table, ul, ol, hr').append('\n')
  page('p, h1, h2, h3, h4, h5, h6, table, ul, ol').append('\n')
  page('br, hr').replaceWith('\n')
  return page
    .root()
    .text()
    .replace(/ *\n */g, '\n')
    .replace(/ *\t */g, '\t')
    .replace(/ {2,}/g, ' ')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
