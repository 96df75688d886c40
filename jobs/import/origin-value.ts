import { dayIn } from '../../src/job/calendar-day.ts'
import type { Origin, ReadableFile } from '../../src/job/ledgers.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { nameExpression, namePart } from '../../systemscripts/name-part.ts'

/** What a mail or page is asked for: `subject`, or `subject: Prices for ([A-Z]+)`. */
interface OriginSpec {
  word: string
  /** As in a file's name: digits are the part of that number, all else a regular expression. Null: all of it. */
  part: string | null
}

/**
 * What the mail or page that a file came from tells; days as `yyyy-mm-dd` in source_zone.
 *
 * @param spec null: `usual`
 * @param usual words to be asked for, the first that has an answer
 * @throws PermanentError `origin_unknown`, `origin_value_unknown`, `origin_value_missing`, `origin_value_too_long`; those of namePart
 */
export function originValue(
  file: Pick<ReadableFile, 'name' | 'path'>,
  from: 'mail' | 'page',
  asked: { spec: string | null; usual: string[] },
  origin: Origin,
  { sourceZone, partDelimiter }: { sourceZone: string; partDelimiter: string },
): string {
  const told = from === 'mail' ? toldByMail(origin, sourceZone) : toldByPage(origin, sourceZone)
  if (told === null) throw originUnknown(file, from)
  const { word, part } = asked.spec === null ? { word: firstTold(told, asked.usual), part: null } : readOriginSpec(asked.spec)
  const value = told.get(word)
  if (value === undefined) throw valueUnknown(file, from, word, [...told.keys()])
  if (value === null || value.trim() === '') throw valueMissing(file, from, word)
  const found = part === null ? value.trim() : namePart(value.trim(), { spec: part, delimiter: partDelimiter })
  if (found.length > LONGEST) throw valueTooLong(file, from, word, found)
  return found
}

/** @throws PermanentError `name_spec_invalid` */
export function readOriginSpec(spec: string): OriginSpec {
  const [, word = '', part = null] = /^([^:]*)(?::(.*))?$/su.exec(spec) ?? []
  if (part !== null) nameExpression(part.trim())
  return { word: word.trim(), part: part === null ? null : part.trim() }
}

/** In characters: a label is looked for by an index. */
const LONGEST = 500

type Told = Map<string, string | null>

function toldByMail({ mail }: Origin, zone: string): Told | null {
  if (mail === null) return null
  return new Map([
    ['subject', mail.subject],
    ['sender', mail.sender],
    ['date', dayIn(zone, mail.sentAt)],
  ])
}

/** Rota's own words go before a column of that name. */
function toldByPage({ page }: Origin, zone: string): Told | null {
  if (page === null) return null
  return new Map([
    ...Object.entries(page.values),
    ['address', page.address] as const,
    ['id', page.id] as const,
    ['fetched', dayIn(zone, page.fetchedAt)] as const,
  ])
}

function firstTold(told: Told, words: string[]): string {
  return words.find((word) => (told.get(word) ?? '') !== '') ?? words[0] ?? ''
}

function originUnknown({ name, path }: Pick<ReadableFile, 'name' | 'path'>, from: 'mail' | 'page'): PermanentError {
  const [table, job] = from === 'mail' ? ['dba.messagefile', 'inbox'] : ['dba.pagefile', 'scrape']
  return new PermanentError('origin_unknown', `File "${name}" came by no ${from} that Rota knows`, {
    detail: `No row of ${table} is of the file at ${path}.`,
    hint: `Files that job ${job} saves have a ${from}; for others take label and date from elsewhere: label_from, date_from in dba.importconfig.`,
  })
}

function valueUnknown({ name }: { name: string }, from: string, word: string, known: string[]): PermanentError {
  return new PermanentError('origin_value_unknown', `The ${from} of file "${name}" tells no "${word}"`, {
    detail: `It tells ${known.map((each) => `"${each}"`).join(', ')}.`,
    hint: 'Correct label_spec or date_spec in dba.importconfig; more of a page is read by rows of dba.scrapefield.',
  })
}

function valueMissing({ name }: { name: string }, from: string, word: string): PermanentError {
  return new PermanentError('origin_value_missing', `The ${from} of file "${name}" has no "${word}"`, {
    hint: 'Take label or date from something that is always there: label_spec, date_spec in dba.importconfig.',
  })
}

function valueTooLong({ name }: { name: string }, from: string, word: string, value: string): PermanentError {
  return new PermanentError('origin_value_too_long', `The "${word}" of the ${from} of file "${name}" is too long for a label`, {
    detail: `It is ${value.length} characters long and begins "${value.slice(0, 80)}".`,
    hint: `Take a part of it, for example ${word}: ^(.{1,200}) in dba.importconfig.`,
  })
}
