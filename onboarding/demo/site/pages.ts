/** The pages of the demo's site, in the shape that pages of conference organisers have. */
import { allEvents, type Company, companiesOn, type DemoEvent, pagesOf } from './events.ts'

export const listPage = '__co-list_cp.html'
export const privatePage = '__private-co-list_cp.html'

export function indexPage(): string {
  const links = allEvents().map(({ id, title }) => `<li><a href="/sched/event_${id}/${listPage}">${htmlText(title)}</a></li>`)
  return frame('Events', `<h1>Events</h1>\n<ul class="events">\n${links.join('\n')}\n</ul>`)
}

export function invalidPage(id: string): string {
  return frame('Error', `<div class="alert alert-danger">Invalid Event ID: ${htmlText(id)}</div>`)
}

export function deniedPage(): string {
  return frame('Sign in', '<h1>Access Denied</h1>\n<p>This event is open to its guests.</p>')
}

/** @param page counted from 1 */
export function companyListPage(event: DemoEvent, page: number): string {
  if (event.kind === 'empty') return frame(event.title, `${heading(event)}\n<p>No companies found</p>`)
  if (event.kind === 'private') return frame(event.title, `${heading(event)}\n<p>The list is for registered guests.</p>\n${privateLink}`)
  return frame(event.title, [heading(event), table(event, companiesOn(event, page)), exportOf(event), pager(event, page)].join('\n'))
}

const privateLink = `<a class="nav-link" href="${privatePage}">Private Company List</a>`

export function privateListPage(event: DemoEvent): string {
  return frame(event.title, [heading(event), table(event, event.companies), fileLink(event, privatePage)].join('\n'))
}

/** Cells of the table and of the file, header first. */
export function listCells({ layout }: Pick<DemoEvent, 'layout'>, companies: Company[]): string[][] {
  if (layout === 'described') {
    return [['Description', 'Sector', 'City'], ...companies.map(({ name, about, sector, town }) => [`${name}: ${about}`, sector, town])]
  }
  const names = layout === 'plain' ? ['Company Name', 'Ticker'] : ['Company/Organization', 'Company Ticker']
  return [[...names, 'Sector', 'City'], ...companies.map(({ name, ticker, sector, town }) => [name, ticker, sector, town])]
}

export function htmlTable(cells: string[][]): string {
  const [header = [], ...rows] = cells
  const line = (name: 'td' | 'th', texts: string[]) => `<tr>${texts.map((text) => `<${name}>${htmlText(text)}</${name}>`).join('')}</tr>`
  return `<table class="table"><thead>${line('th', header)}</thead><tbody>\n${rows.map((row) => line('td', row)).join('\n')}\n</tbody></table>`
}

export function htmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

function heading({ title }: DemoEvent): string {
  return `<h1>${htmlText(title)}</h1>`
}

/** A talk by a person stands among the companies, as it does in real lists. */
function table({ id, ...event }: DemoEvent, companies: Company[]): string {
  const talk: Company = {
    name: `** KOL Dr. ${id % 2 === 0 ? 'Ines Halvorsen' : 'Pal Szabo'}`,
    ticker: '',
    sector: '',
    town: '',
    about: 'a talk',
  }
  return htmlTable(listCells(event, id % 6 === 0 ? [...companies, talk] : companies))
}

function exportOf(event: DemoEvent): string {
  if (event.kind !== 'button') return fileLink(event, listPage)
  const file = `__co-list_cp.xls?event_id=${event.id}`
  return `<button id="export" type="button" onclick="location.href='${file}'"><i class="fas fa-cloud-download-alt"></i> Download Company List</button>`
}

function fileLink({ id }: DemoEvent, page: string): string {
  return `<a id="download" href="${page.replace('.html', '.xls')}?event_id=${id};sort=name">Download Company List</a>`
}

function pager(event: DemoEvent, page: number): string {
  if (page >= pagesOf(event)) return ''
  return `<a rel="next" href="${listPage}?page=${page + 1}">Next</a>`
}

function frame(title: string, body: string): string {
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${htmlText(title)} - MeetMax</title></head>`,
    `<body>\n<main>\n${body}\n</main>\n</body></html>\n`,
  ].join('\n')
}
