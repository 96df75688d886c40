import { PermanentError } from '../errors.ts'

/** How a file writes numbers, learned from an example; the grammar stands in values.ts. */
export interface NumberExample {
  /** As it was written. */
  text: string
  group: '.' | ',' | "'" | ' ' | null
  mark: '.' | ',' | null
  /** Groups of two but for the last: 12,34,567. */
  isIndian: boolean
  units: string[]
  isPercent: boolean
  hasParentheses: boolean
  hasSignBehind: boolean
}

/**
 * @returns example null: plain numbers
 * @throws PermanentError `number_format_invalid`
 */
export function parseNumberFormat(format: string): { example: NumberExample | null; rounds: boolean } {
  const [, text = '', round] = /^(.*?)((?:^|\s+)round)?$/s.exec(format.trim()) ?? []
  const rounds = round !== undefined
  if (text === '') {
    if (rounds) return { example: null, rounds }
    throw invalid(format, 'It is empty.')
  }
  return { example: parseExample(text.replace(/[\u00a0\u202f\u2009\u2007]/g, ' ').replaceAll('’', "'"), format), rounds }
}

function parseExample(text: string, format: string): NumberExample {
  const [, head = '', body = '', tail = ''] = /^(\D*)(\d.*\d|\d)(\D*)$/s.exec(text) ?? []
  if (body === '') throw invalid(format, 'It is no number.')
  const around = `${head} ${tail}`
  const units = around.split(/[\s()+%-]+/).filter((unit) => unit !== '')
  const odd = units.find((unit) => !/[\p{L}\p{Sc}]/u.test(unit))
  if (odd !== undefined) throw invalid(format, `"${odd}" is no sign of a currency or unit.`)
  const isPercent = around.includes('%')
  if (isPercent && units.length > 0) throw invalid(format, `It has both % and "${units[0]}".`)
  const hasParentheses = head.includes('(') && tail.includes(')')
  if (!hasParentheses && /[()]/.test(around)) throw invalid(format, 'One of its parentheses is missing.')
  return { text, ...marksOf(body, format), units: [...new Set(units)], isPercent, hasParentheses, hasSignBehind: /[+-]/.test(tail) }
}

function marksOf(body: string, format: string): Pick<NumberExample, 'group' | 'mark' | 'isIndian'> {
  if (/^[1-9]\d{0,2}[.,]\d{3}$/.test(body))
    throw invalid(format, `Whether ${body} is a thousand or more, or has three decimals, nobody can tell.`)
  const [, whole, mark] = /^(\d+)(?:([.,])\d+)?(?:e[+-]?\d+)?$/i.exec(body) ?? []
  if (whole !== undefined) return { group: null, mark: markOf(mark), isIndian: false }
  const [, groups, group, groupedMark] = /^(\d{1,3}(?:([.,' ])\d{3})(?:\2\d{3})*)(?:(?!\2)([.,])\d+)?$/.exec(body) ?? []
  if (groups !== undefined) return { group: groupOf(group), mark: markOf(groupedMark), isIndian: false }
  const [, lakhs, lakh, lakhMark] = /^(\d{1,2}(?:([.,' ])\d{2})(?:\2\d{2})*\2\d{3})(?:(?!\2)([.,])\d+)?$/.exec(body) ?? []
  if (lakhs !== undefined) return { group: groupOf(lakh), mark: markOf(lakhMark), isIndian: true }
  throw invalid(format, `${body} is not grouped rightly.`)
}

function markOf(text: string | undefined): '.' | ',' | null {
  return text === '.' || text === ',' ? text : null
}

function groupOf(text: string | undefined): NumberExample['group'] {
  return text === "'" || text === ' ' ? text : markOf(text)
}

function invalid(format: string, why: string): PermanentError {
  return new PermanentError('number_format_invalid', `Number format "${format}" is not right`, {
    detail: why,
    hint: 'Write an example with its thousands and decimals, such as 1.234,56 or 1,234.56 or 12,5 %, perhaps followed by the word round.',
  })
}
