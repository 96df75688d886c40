import type { FieldRule, PageRules } from '../../systemscripts/web/page/rules.ts'
import type { TestDatabase } from '../helpers/database.ts'

/** What a config says of reading a page, as its rows stand in the database. */
export async function rulesOf({ query }: Pick<TestDatabase, 'query'>, config: string): Promise<PageRules> {
  const fields = await query<FieldRow>('select * from dba.scrapefield where config_name = $1 order by position', [config])
  const [row] = await query<ConfigRow>(
    'select row_selector, follow_selector, next_selector, file_selector from dba.scrapeconfig where config_name = $1',
    [config],
  )
  return {
    rowSelector: row?.row_selector ?? null,
    followSelector: row?.follow_selector ?? null,
    nextSelector: row?.next_selector ?? null,
    fileSelector: row?.file_selector ?? null,
    // fields without a rule are those that Rota knows by itself
    fields: fields
      .filter(
        ({ selector, headers, page_text: isText, state_word: word }) => selector !== null || headers !== null || isText || word !== null,
      )
      .map(fieldRule),
  }
}

function fieldRule(row: FieldRow): FieldRule {
  return {
    columnName: row.column_name,
    headers: row.headers,
    selector: row.selector,
    attribute: row.attribute,
    pattern: row.pattern,
    pageText: row.page_text,
    skipWhen: row.skip_when,
    stateWord: row.state_word,
    statusCodes: row.status_codes,
  }
}

interface ConfigRow {
  row_selector: string | null
  follow_selector: string | null
  next_selector: string | null
  file_selector: string | null
}

interface FieldRow {
  column_name: string
  headers: string[] | null
  selector: string | null
  attribute: string | null
  pattern: string | null
  page_text: boolean
  skip_when: string | null
  state_word: string | null
  status_codes: number[] | null
}
