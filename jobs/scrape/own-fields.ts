/** What Rota knows of a page by itself. */
export interface PageFacts {
  id: string | null
  url: string
  final_url: string
  status_code: string
  state: string | null
  title: string | null
  row_count: string
  fetched_at: string
}

export const pageFacts = ['id', 'url', 'final_url', 'status_code', 'state', 'title', 'row_count', 'fetched_at'] as const

/** What of a row of dba.scrapefield says where its value comes from. */
export interface FieldSource {
  columnName: string
  pageFact: keyof PageFacts | null
  selector: string | null
  headers: string[]
  pattern: string | null
  isPageText: boolean
  stateWord: string | null
}

/** Of a field that is filled with such a fact: by page_fact, or by a name that Rota knows and nothing else. */
export function factOf({ columnName, pageFact, ...field }: FieldSource): keyof PageFacts | null {
  const { selector, headers, pattern, isPageText, stateWord } = field
  if (pageFact !== null) return pageFact
  if (stateWord !== null || selector !== null || headers.length > 0 || pattern !== null || isPageText) return null
  return pageFacts.find((name) => name === columnName) ?? null
}
