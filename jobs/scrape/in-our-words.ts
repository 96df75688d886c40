import { JobError, PermanentError } from '../../systemscripts/errors.ts'

/**
 * An error of loading as somebody reads it who wrote rows of dba.scrapeconfig and dba.scrapefield: its hint names the columns of an import,
 * which stands on the same loader. Any other error stays as it is.
 */
export function inOurWords(error: unknown): unknown {
  if (!(error instanceof JobError) || error.hint === undefined) return error
  const hint = words.reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), error.hint)
  if (hint === error.hint) return error
  const Kind = error instanceof PermanentError ? PermanentError : JobError
  return new Kind(error.code, error.message, { ...(error.detail === undefined ? {} : { detail: error.detail }), hint, cause: error })
}

/** In this order: the longer ones first. */
const words: [theirs: RegExp, ours: string][] = [
  [/change the check in dba\.importcheck/g, 'change low_band_percent in dba.scrapeconfig'],
  [/correct source_name(?:,| in dba\.importcolumn)/g, 'correct selector or headers in dba.scrapefield,'],
  [/name its header in source_name/g, 'say in selector or headers where it stands'],
  [/\bsource_name\b/g, 'selector'],
  [/dba\.importcolumn/g, 'dba.scrapefield'],
  [/dba\.importconfig/g, 'dba.scrapeconfig'],
]
