/** The events of the demo's site: invented companies, the same on every start. */

export type EventKind =
  /** A list with a link to its file. */
  | 'listed'
  /** The public page leads on to a private list. */
  | 'private'
  /** No link to the file, only a button. */
  | 'button'
  /** The list goes over several pages. */
  | 'paged'
  /** Every other request is answered with 429. */
  | 'rate_limited'
  /** What calls itself .xls is a page with a table. */
  | 'html_file'
  | 'empty'
  | 'denied'

export interface DemoEvent {
  id: number
  kind: EventKind
  title: string
  layout: Layout
  companies: Company[]
}

export interface Company {
  name: string
  ticker: string
  sector: string
  town: string
  about: string
}

/** Headers of an event's table, in order; each event has its own way to name things. */
export type Layout = 'plain' | 'organization' | 'described'

export const firstEventId = 120_001
/** Ids behind the last event, and a few among them, are answered as invalid. */
export const lastEventId = 120_044
const invalidIds = new Set([120_007, 120_019, 120_031, 120_044])

const kinds: Record<number, EventKind> = {
  120003: 'rate_limited',
  120005: 'private',
  120009: 'html_file',
  120012: 'paged',
  120014: 'button',
  120016: 'empty',
  120023: 'private',
  120027: 'denied',
  120030: 'rate_limited',
  120035: 'html_file',
  120038: 'empty',
}

/** Forty events; null for an id that has none. */
export function findEvent(id: number): DemoEvent | null {
  if (!Number.isInteger(id) || id < firstEventId || id > lastEventId || invalidIds.has(id)) return null
  const kind = kinds[id] ?? 'listed'
  const layout = kind === 'listed' ? (layouts[id % layouts.length] ?? 'plain') : 'plain'
  return { id, kind, title: titleOf(id), layout, companies: kind === 'empty' || kind === 'denied' ? [] : companiesOf(id, kind) }
}

export function allEvents(): DemoEvent[] {
  return Array.from({ length: lastEventId - firstEventId + 1 }, (_, index) => findEvent(firstEventId + index)).filter(
    (event) => event !== null,
  )
}

const layouts: Layout[] = ['plain', 'plain', 'organization', 'plain', 'described']
const regions = ['Nordic', 'Alpine', 'Baltic', 'Iberian', 'Pacific', 'Atlantic']
const themes = ['Industrials Days', 'Health Care Forum', 'Software & Data Conference', 'Energy Summit', 'Small Cap Meeting']
const sectors = ['Industrials', 'Health Care', 'Software', 'Energy', 'Materials', 'Consumer']
const towns = ['Tartu', 'Graz', 'Coimbra', 'Trondheim', 'Győr', 'Gent', 'Łódź', 'Køge']
const beginnings = ['Vela', 'Orka', 'Lumen', 'Tarn', 'Brisk', 'Quill', 'Halden', 'Sorrel', 'Mistral', 'Fjord', 'Kestrel', 'Onda']
const endings = ['Systems', 'Pharma', 'Logistics', 'Metals', '& Sons', 'Robotics', 'Foods', 'Optics', 'Shipping', 'Grid']
const shownPerPage = 10

/** How many pages the list of an event takes up. */
export function pagesOf({ kind, companies }: DemoEvent): number {
  return kind === 'paged' ? Math.ceil(companies.length / shownPerPage) : 1
}

/** What stands on one of them, counted from 1. */
export function companiesOn(event: DemoEvent, page: number): Company[] {
  if (event.kind !== 'paged') return event.companies
  return event.companies.slice((page - 1) * shownPerPage, page * shownPerPage)
}

function titleOf(id: number): string {
  return `${regions[id % regions.length]} ${themes[id % themes.length]}, ${towns[id % towns.length]} ${2026 + (id % 2)}`
}

function companiesOf(id: number, kind: EventKind): Company[] {
  const count = kind === 'paged' ? 27 : 6 + ((id * 7) % 9)
  const first = (id * 13) % companyCount
  return Array.from({ length: count }, (_, index) => company((first + index * 7) % companyCount))
}

const companyCount = beginnings.length * endings.length

/** Every company has its number and always the same ticker; some are not listed, one has shares of two classes. */
function company(number: number): Company {
  const beginning = beginnings[number % beginnings.length] ?? ''
  const ending = endings[Math.floor(number / beginnings.length)] ?? ''
  const letters = `${beginning.slice(0, 3)}${ending.replace(/\W/g, '').slice(0, 1)}`.toUpperCase()
  const ticker = number % 11 === 0 ? 'Private Company' : number % 17 === 0 ? `${letters}.B` : number % 13 === 0 ? '' : letters
  const town = towns[number % towns.length] ?? ''
  return { name: `${beginning} ${ending}`, ticker, sector: sectors[number % sectors.length] ?? '', town, about: `a company of ${town}` }
}
