/** What changed in a table since the last mail, row by row, by its keys. */

import type { Snapshot } from '../../src/job/reports.ts'
import { htmlTable } from '../../systemscripts/documents/html-table.ts'
import { plainTable } from '../../systemscripts/documents/plain-table.ts'
import type { Column, Row, RowSource } from '../../systemscripts/documents/row-source.ts'
import { PermanentError } from '../../systemscripts/errors.ts'

export interface ChangeBlock {
  html: string
  text: string
  /** For the next mail. */
  content: string
}

/** Rows of changes that a mail shows. */
const shownAtMost = 100

interface Keyed {
  columns: string[]
  rows: [key: string, row: Row][]
}

/**
 * @param last null: this is the first mail
 * @param sinceWords when that mail was, for people
 * @throws PermanentError `change_keys_invalid`
 */
export async function findChanges(
  { columns, rows }: { columns: readonly Column[]; rows: readonly Row[] },
  keys: string[],
  last: Snapshot | null,
  sinceWords: string,
): Promise<ChangeBlock> {
  const now: Keyed = { columns: columns.map(({ name }) => name), rows: keyed(columns, rows, keys) }
  const content = JSON.stringify(now)
  if (last?.content == null) return { ...sentence('This is the first mail, so there is nothing to compare with.'), content }
  const before: Keyed = JSON.parse(last.content)
  const changes = compare(before, now)
  const counts = ['added', 'removed', 'changed'].flatMap((kind) => {
    const count = changes.filter(([word]) => word === kind).length
    return count === 0 ? [] : [`${count} ${kind}`]
  })
  if (counts.length === 0) return { ...sentence(`Nothing changed since the mail of ${sinceWords}.`), content }
  const head = sentence(`Since the mail of ${sinceWords}: ${counts.join(', ')}.`)
  const source = (): RowSource => ({
    columns: ['change', ...now.columns].map((name) => ({ name, typeOid: 25 })),
    rows: (async function* () {
      yield changes
    })(),
  })
  const html = await htmlTable(source(), { maxRows: shownAtMost })
  const text = await plainTable(source(), { maxRows: shownAtMost })
  return { html: head.html + html.text, text: `${head.text}\n${text.text}\n`, content }
}

function sentence(words: string): { html: string; text: string } {
  return { html: `<p style="margin:8px 0;font-family:Arial,Helvetica,sans-serif;font-size:13px">${words}</p>`, text: `${words}\n` }
}

function keyed(columns: readonly Column[], rows: readonly Row[], keys: string[]): [string, Row][] {
  const places = keys.map((key) => columns.findIndex(({ name }) => name === key))
  const missing = keys.filter((_, at) => places[at] === -1)
  if (missing.length > 0) {
    throw new PermanentError('change_keys_invalid', `change_keys name no column "${missing[0]}"`, {
      detail: `The query has ${columns.map(({ name }) => name).join(', ')}.`,
      hint: 'Correct change_keys in dba.reportquery.',
    })
  }
  const found = new Map<string, Row>()
  for (const row of rows) {
    const key = JSON.stringify(places.map((at) => row[at] ?? null))
    if (found.has(key)) {
      throw new PermanentError('change_keys_invalid', 'change_keys do not tell the rows apart', {
        detail: `Two rows have ${key}.`,
        hint: 'Name further columns in change_keys of dba.reportquery.',
      })
    }
    found.set(key, row)
  }
  return [...found]
}

function compare(before: Keyed, now: Keyed): Row[] {
  const former = new Map(before.rows)
  const current = new Map(now.rows)
  const at = now.columns.map((name) => before.columns.indexOf(name))
  const inOurColumns = (row: Row): Row => at.map((place) => (place === -1 ? null : (row[place] ?? null)))
  const added = now.rows.flatMap(([key, row]) => (former.has(key) ? [] : [['added', ...row]]))
  const removed = before.rows.flatMap(([key, row]) => (current.has(key) ? [] : [['removed', ...inOurColumns(row)]]))
  const changed = now.rows.flatMap(([key, row]) => {
    const old = former.get(key)
    if (old === undefined) return []
    const was = inOurColumns(old)
    // A column that came since is no change of the row.
    const differs = row.map((value, place) => at[place] !== -1 && value !== was[place])
    if (!differs.includes(true)) return []
    return [['changed', ...row.map((value, place) => (differs[place] ? `${was[place] ?? '(empty)'} → ${value ?? '(empty)'}` : value))]]
  })
  return [...added, ...removed, ...changed]
}
