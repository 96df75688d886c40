import type { ScrapeField } from './settings.ts'

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

const names: readonly (keyof PageFacts)[] = ['id', 'url', 'final_url', 'status_code', 'state', 'title', 'row_count', 'fetched_at']

/** A field that says nothing but a name that Rota knows. */
export function ownName({ columnName, selector, headers, pattern, isPageText, stateWord }: ScrapeField): keyof PageFacts | null {
  if (stateWord !== null || selector !== null || headers.length > 0 || pattern !== null || isPageText) return null
  return names.find((name) => name === columnName) ?? null
}
