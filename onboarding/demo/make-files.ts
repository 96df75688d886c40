/**
 * Makes the files of the demo, with content of our own that is the same on every run: `node onboarding/demo/make-files.ts`.
 * They hold what files in real life hold: numbers with leading zeros, a company named NA, a product named 1E5, phone numbers,
 * a title above the table, line breaks inside quotes, and a web page that calls itself .xls.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as XLSX from 'xlsx'

export interface DemoFile {
  name: string
  bytes: Buffer
}

/** The four files, in memory. */
export function demoFiles(): DemoFile[] {
  return [
    { name: 'products.xls', bytes: makeProducts() },
    { name: 'orders.xlsx', bytes: makeOrders() },
    { name: 'suppliers.xls', bytes: Buffer.from(makeSuppliers()) },
    { name: 'shipments.csv', bytes: Buffer.from(makeShipments()) },
  ]
}

const PRODUCTS = 120
const ORDERS = 400
const SUPPLIERS = 80
const SHIPMENTS = 300

const MATERIALS = ['Steel', 'Brass', 'Nylon', 'Copper', 'Rubber', 'Ceramic']
const PARTS = ['bearing', 'valve', 'gasket', 'coupling', 'hose', 'flange', 'filter', 'pump seal']
const TOWNS = [
  'Trondheim, NO',
  'Łódź, PL',
  'Besançon, FR',
  'Køge, DK',
  'Coimbra, PT',
  'Graz, AT',
  'Gent, BE',
  'Zürich, CH',
  'Győr, HU',
  'Tartu, EE',
]
const FIRST_HALVES = ['Nord', 'Alpen', 'Delta', 'Kessel', 'Linden', 'Mare', 'Ostrava', 'Brück', 'Falken', 'Sól']
const SECOND_HALVES = ['werk', 'tech', ' & Sons', ' Metall', ' Fluid', ' Components', ' Supply', ' Industri']
const FORMS = ['GmbH', 'AS', 'SARL', 'Sp. z o.o.', 'Lda', 'BV']
const CARRIERS = ['Rhenus', 'Posti', 'Bring', 'Chronopost']
/** Product codes that spreadsheets like to take for numbers, truth or nothing. */
const TRAP_CODES: Record<number, string> = { 7: '1E5', 18: 'TRUE', 29: '00123', 41: '2024-03', 56: 'NA', 77: '3/4', 98: '=A1' }

/** An Excel workbook of 97 (BIFF8). Columns: Article Code, Description, Price EUR, In Stock, Weight kg, Listed Since, Discontinued. */
function makeProducts(): Buffer {
  const random = randomNumbers(11)
  const rows: Cell[][] = [['Article Code', 'Description', 'Price EUR', 'In Stock', 'Weight kg', 'Listed Since', 'Discontinued'].map(text)]
  for (let number = 1; number <= PRODUCTS; number += 1) {
    rows.push([
      text(articleCode(number)),
      text(`${random.pick(MATERIALS)} ${random.pick(PARTS)} ${random.between(4, 90)} mm`),
      { t: 'n', v: random.between(120, 990_000) / 100, z: '#,##0.00' },
      { t: 'n', v: random.between(0, 4000) },
      number % 9 === 0 ? null : { t: 'n', v: random.between(1, 25_000) / 1000, z: '0.000' },
      day(random.between(0, 3600), 'dd.mm.yyyy'),
      { t: 'b', v: number % 17 === 0 },
    ])
  }
  return workbook('biff8', [{ name: 'Products', rows }])
}

/** An .xlsx with a title above the table and a second sheet. Order and customer numbers are texts with leading zeros. */
function makeOrders(): Buffer {
  const random = randomNumbers(23)
  const rows: Cell[][] = [
    [text('Open orders, week 12')],
    [text('Exported by the order desk, not for redistribution')],
    [],
    [
      'Order No',
      'Customer No',
      'Customer',
      'Phone',
      'Article Code',
      'Quantity',
      'Discount',
      'Ordered At',
      'Deliver By',
      'Express',
      'Remark',
    ].map(text),
  ]
  for (let number = 1; number <= ORDERS; number += 1) {
    const customer = random.between(1, 60)
    const ordered = random.between(0, 80)
    rows.push([
      text(String(48_000 + number).padStart(8, '0')),
      text(String(customer * 7).padStart(5, '0')),
      text(companyName(customer)),
      text(phoneNumber(customer)),
      text(articleCode(random.between(1, PRODUCTS))),
      { t: 'n', v: random.between(1, 250) },
      number % 4 === 0 ? { t: 'n', v: random.between(1, 15) / 100, z: '0%' } : null,
      { ...day(3000 + ordered, 'yyyy-mm-dd hh:mm'), v: serialOf(3000 + ordered) + random.between(6 * 60, 18 * 60) / 1440 },
      day(3010 + ordered, 'd/m/yyyy'),
      { t: 'b', v: random.between(1, 6) === 1 },
      number % 25 === 0 ? { t: 'e', v: 0x2a } : number % 7 === 0 ? text('call before delivery,\nring twice') : null,
    ])
  }
  const notes = [
    ['Topic', 'Note'],
    ['Discount', 'A share of the price: 10 % is 0.1.'],
    ['Phone', 'With country code.'],
  ].map((row) => row.map(text))
  return workbook('xlsx', [
    { name: 'Orders', rows },
    { name: 'Notes', rows: notes },
  ])
}

/** What many web sites send when one asks for Excel: a page with a table in it. */
function makeSuppliers(): string {
  const random = randomNumbers(37)
  const rows: string[] = []
  for (let number = 1; number <= SUPPLIERS; number += 1) {
    const isShort = number === 33
    const name = isShort ? 'NA' : companyName(100 + number)
    const cells = [
      String(number * 31).padStart(6, '0'),
      `<b>${htmlText(name)}</b>`,
      htmlText(random.pick(TOWNS)).replace(', ', '<br>'),
      phoneNumber(number),
      number % 6 === 0 ? '&nbsp;' : `${random.between(10, 99)}.${random.between(0, 9)}&nbsp;%`,
      random.pick(['A', 'B', 'C', 'TRUE']),
    ]
    rows.push(`<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
  }
  const names = ['Supplier No', 'Name', 'Town', 'Phone', 'On Time', 'Rating']
  return [
    '<html><head><meta charset="utf-8"><title>Suppliers</title><style>td { border: 1px solid }</style></head><body>',
    '<table><tr><td><img src="logo.png" alt="">Supplier portal</td></tr></table>',
    '<table border="1">',
    `<thead><tr>${names.map((name) => `<th>${name}</th>`).join('')}</tr></thead>`,
    `<tbody>\n${rows.join('\n')}\n</tbody></table></body></html>\n`,
  ].join('\n')
}

/** CSV as Excel writes it: byte order mark, CRLF, quotes only where needed, a line break inside quotes, empty beside "". */
function makeShipments(): string {
  const random = randomNumbers(53)
  const lines = [['Shipment', 'Order No', 'Carrier', 'Tracking No', 'Packed At', 'Weight kg', 'Address', 'Signed By'].join(',')]
  for (let number = 1; number <= SHIPMENTS; number += 1) {
    const packed = new Date(Date.UTC(2025, 2, 1 + random.between(0, 27), random.between(6, 20), random.between(0, 59)))
    lines.push(
      [
        `S-${String(number).padStart(5, '0')}`,
        String(48_000 + random.between(1, ORDERS)).padStart(8, '0'),
        random.pick(CARRIERS),
        `00${random.between(10_000_000, 99_999_999)}${random.between(10_000_000, 99_999_999)}`,
        packed.toISOString().slice(0, 16).replace('T', ' '),
        (random.between(50, 90_000) / 100).toFixed(2),
        csvText(`${companyName(random.between(1, 60))}\n${random.pick(TOWNS)}, gate "${random.between(1, 9)}"`),
        // Nobody asked for a signature, asked but none given, and given.
        number % 3 === 0 ? '' : number % 3 === 1 ? '""' : csvText(random.pick(['Ó. Sæther', 'NULL', "D'Angelo, P.", 'van der Berg'])),
      ].join(','),
    )
  }
  return `\ufeff${lines.join('\r\n')}\r\n`
}

type Cell = XLSX.CellObject | null

function text(value: string): XLSX.CellObject {
  return { t: 's', v: value }
}

/** A day, counted from 2017-01-01, as Excel stores it. */
function day(number: number, format: string): XLSX.CellObject {
  return { t: 'n', v: serialOf(number), z: format }
}

function serialOf(number: number): number {
  return 42_736 + number
}

function workbook(bookType: 'biff8' | 'xlsx', sheets: { name: string; rows: Cell[][] }[]): Buffer {
  const book = XLSX.utils.book_new()
  for (const { name, rows } of sheets) XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), name)
  return Buffer.from(XLSX.write(book, { type: 'buffer', bookType, compression: true, bookSST: true }))
}

function articleCode(number: number): string {
  return TRAP_CODES[number] ?? String(number * 37).padStart(5, '0')
}

function companyName(number: number): string {
  const first = FIRST_HALVES[number % FIRST_HALVES.length] ?? ''
  const second = SECOND_HALVES[(number * 3) % SECOND_HALVES.length] ?? ''
  return `${first}${second} ${FORMS[(number * 5) % FORMS.length] ?? ''}`
}

function phoneNumber(number: number): string {
  return `+47 0${String((number * 7919) % 100_000).padStart(5, '0')}`
}

function htmlText(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('ü', '&uuml;')
}

function csvText(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

interface RandomNumbers {
  /** A whole number, both ends included. */
  between(low: number, high: number): number
  pick(values: string[]): string
}

/** The same numbers for the same seed, on every machine: a linear congruential generator with the constants of Numerical Recipes. */
function randomNumbers(seed: number): RandomNumbers {
  let state = seed
  const between = (low: number, high: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return low + Math.floor((state / 2 ** 32) * (high - low + 1))
  }
  return { between, pick: (values) => values[between(0, values.length - 1)] ?? '' }
}

if (import.meta.main) {
  for (const { name, bytes } of demoFiles()) {
    await writeFile(join(import.meta.dirname, name), bytes)
    console.log(`${name}  ${bytes.length} bytes`)
  }
}
