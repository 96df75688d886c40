/** One row of dba.scrapefield, as far as it concerns reading. Rules come in their order. */
export interface FieldRule {
  /** The column that is filled; of a rule with a state word just its name. */
  columnName: string
  /** Takes the cell of the row that stands below the first of these headers that the table has; `#1` is the first cell. */
  headers?: string[] | null
  /** Within the row, or the page where there are no rows; with `headers`, within that cell. `page: h1` looks in the whole page. */
  selector?: string | null
  /** Read instead of the text. Of `href`, `src`, `action` the whole address. */
  attribute?: string | null
  /** The value is its first group, or all that it matches; nothing where it does not match. */
  pattern?: string | null
  /** The text is all that is visible of the page. */
  pageText?: boolean
  /** Rows whose value matches are left out; an empty value is an empty text here. */
  skipWhen?: string | null
  /** Makes it a rule: the page is in this state when all that the rule names holds. */
  stateWord?: string | null
  /** Of such a rule: answers with one of these statuses. */
  statusCodes?: number[] | null
}

/** What dba.scrapeconfig says of reading a page. */
export interface PageRules {
  fields: FieldRule[]
  /** What is one row. Null: the page is. */
  rowSelector?: string | null
  followSelector?: string | null
  /** Whole addresses of followed links match it. */
  followPattern?: string | null
  nextSelector?: string | null
  fileSelector?: string | null
  /** Of these links those whose address, or file name in it, matches. */
  filePattern?: string | null
}

export interface PageSource {
  html: string
  /** What relative links begin from. */
  url: string
  /** Default 200. */
  status?: number
}

export interface PageReading {
  /** The page's `<title>`. */
  title: string | null
  /** The word of the first rule that holds. */
  state: string | null
  /** One per row, or one for the page. Values by column, only of fields that are no rules. */
  rows: Record<string, string | null>[]
  /** How many rows `skipWhen` left out. */
  skippedRows: number
  /** Addresses to go on to, each once, in their order. */
  follow: string[]
  next: string | null
  files: PageLink[]
  statistics: SelectorStatistics[]
}

export interface PageLink {
  url: string
  text: string | null
}

/** How often a selector found something. */
export interface SelectorStatistics {
  /** A column, the name of a rule, or `row_selector`, `follow_selector`, `next_selector`, `file_selector`. */
  name: string
  selector: string | null
  /** Elements that it found. */
  matched: number
  /** Rows with a value; of a link selector addresses. */
  filled: number
}
