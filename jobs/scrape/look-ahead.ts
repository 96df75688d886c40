import type { CheckContext, CheckResult } from '../../src/job/define-job.ts'
import { ownerRole } from '../../src/job/load-rows.ts'
import type { Link, VisitEnd } from '../../src/job/scans.ts'
import { targetTrouble } from '../../systemscripts/table-loader.ts'
import { compilePageRules } from '../../systemscripts/web/read-page.ts'
import { countIds, firstLink } from './ids.ts'
import { openClient } from './open-client.ts'
import { openPages } from './open-pages.ts'
import { pageRules } from './page-rules.ts'
import type { ScrapeSettings } from './settings.ts'
import { endOf, sourceOf } from './visit-page.ts'

/** Somebody waits for the answer at the row. */
const patience = { attempts: 1, longestWaitSeconds: 5 }

/** Asks for the first page and says what the rules find there. @throws what is wrong with the settings, the ids, the page */
export async function lookAhead(context: CheckContext<ScrapeSettings>): Promise<CheckResult> {
  const { config: settings, query } = context
  const reader = compilePageRules(pageRules(settings))
  const trouble =
    settings.targetTable === null
      ? null
      : await targetTrouble(query, { ...settings, target: settings.targetTable, columns: settings.rules.columns, ownerRole })
  if (trouble !== null) return { isOk: false, message: trouble }
  const unknown = unknownState(settings)
  if (unknown !== null) return { isOk: false, message: unknown }
  const link = await firstLink(context)
  if (link === null) return { isOk: true, message: 'the query gives no id now' }
  const ids = countIds(settings)
  const size = ids === null || ids === 1 ? '' : `; ${ids.toLocaleString('en')} pages in all`
  await using client = await openClient(context, patience)
  await using pages = openPages({
    client,
    settings,
    chromium: context.chromium,
    signal: context.signal,
    downloadFolder: null,
    keptBody: async () => null,
  })
  const page = await pages.page({ ...link, kept: null })
  const end = endOf({ settings, isWorthKeeping: () => false }, { ...link, position: 0 }, page, reader.read(sourceOf(page)))
  return { isOk: !isFruitless(settings, end), message: `${nameOf(link)} answers ${page.status}${foundIn(settings, end)}${size}` }
}

/** A state that no page will ever be in. */
function unknownState({ fields, skipStates, missStates, fileStates }: ScrapeSettings): string | null {
  const words = fields.flatMap(({ stateWord }) => (stateWord === null ? [] : [stateWord]))
  const named = Object.entries({ skip_states: skipStates, miss_states: missStates ?? [], file_states: fileStates })
  for (const [column, states] of named) {
    const wrong = states.find((state) => !words.includes(state))
    if (wrong === undefined) continue
    return `${column} names "${wrong}", which no rule of dba.scrapefield has as its state_word; there is ${words.join(', ') || 'none'}`
  }
  return null
}

function nameOf({ item }: Link): string {
  return item === null ? 'start page' : `page of id ${item}`
}

/** The one page of a config gives nothing. Of many the first may well be empty. */
function isFruitless({ idsFrom, targetTable, fileConfig, followSelector, nextSelector }: ScrapeSettings, end: VisitEnd): boolean {
  const leadsOn = followSelector !== null || nextSelector !== null || fileConfig !== null
  return idsFrom === 'none' && targetTable !== null && !leadsOn && end.rows.length === 0
}

function foundIn({ rowSelector, fields }: ScrapeSettings, { rows, stateWord, counts, isThere }: VisitEnd): string {
  const state = stateWord === null ? '' : `, state ${stateWord}`
  const selectors = Object.entries(counts.selectors)
    .filter(([name]) => name.endsWith('_selector'))
    .map(([name, times]) => `, ${name} finds ${times} ${wordFor(name, times)}`)
  if (isThere !== true && rows.length === 0) return `${state}${selectors.join('')}`
  const whole = rowSelector === null ? '' : ` of ${rows.length}`
  const filled = fields
    .filter((field) => field.stateWord === null)
    .map(
      ({ columnName }) =>
        `, field ${columnName} ${rowSelector === null ? shown(rows[0]?.[columnName] ?? null) : `${counts.fields[columnName] ?? 0}${whole}`}`,
    )
  return `${state}${selectors.join('')}${filled.join('')}`
}

function wordFor(name: string, times: number): string {
  const word = name === 'row_selector' ? 'row' : name === 'file_selector' ? 'file' : 'link'
  return times === 1 ? word : `${word}s`
}

function shown(value: string | null): string {
  return value === null ? 'finds nothing' : `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`
}
