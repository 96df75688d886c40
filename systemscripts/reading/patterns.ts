/** The regular expressions among the options of a reader: none of them may look at a file for ever. */
import { PermanentError } from '../errors.ts'
import { filePattern } from '../file-pattern.ts'
import { type TextTest, textTest } from '../values/safe-pattern.ts'

/** What a regular expression between slashes looks for, in `sheet` or `memberPattern`; null for what is none. */
export function betweenSlashes(text: string | number | null): string | null {
  return /^\/(.*)\/$/s.exec(String(text ?? ''))?.[1] ?? null
}

/** @throws PermanentError `sheet_pattern_invalid` */
export function sheetTest(pattern: string): TextTest {
  return textTest(
    pattern,
    (why) =>
      new PermanentError('sheet_pattern_invalid', `sheet "/${pattern}/" is no regular expression that can be used`, {
        detail: why,
        hint: "Write a sheet's name without slashes, or between them a regular expression such as /^Q[1-4]$/.",
      }),
  )
}

/** On the first value of a row. @throws PermanentError `ends_when_invalid` */
export function endTest(pattern: string): TextTest {
  return textTest(
    pattern,
    (why) =>
      new PermanentError('ends_when_invalid', `ends_when "${pattern}" is no regular expression that can be used`, {
        detail: why,
        hint: 'Write one that matches the first column of the row below the table, such as ^Total.',
      }),
  )
}

/** On the path of a member of an archive, or on its name. @throws PermanentError `file_pattern_invalid` */
export function memberTest(pattern: string): (path: string) => boolean {
  const expression = betweenSlashes(pattern)
  if (expression !== null && expression !== '') return filePattern(`.*(?:${expression}).*`, 'regex')
  const isWanted = filePattern(pattern, 'glob')
  return pattern.includes('/') ? isWanted : (path) => isWanted(path.slice(path.lastIndexOf('/') + 1))
}

export interface Patterns {
  sheet?: string | number | null
  memberPattern?: string | null
  endsWhen?: string | null
}

/** Before any file is opened. @throws PermanentError `sheet_pattern_invalid`, `ends_when_invalid`, `file_pattern_invalid` */
export function refuseWrongPatterns({ sheet, memberPattern, endsWhen }: Patterns): void {
  const ofSheet = betweenSlashes(sheet ?? null)
  if (ofSheet !== null) sheetTest(ofSheet)
  if (memberPattern) memberTest(memberPattern)
  if (endsWhen) endTest(endsWhen)
}
