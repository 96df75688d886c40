/** What people wrote about columns and rows: dba.importcolumn and dba.importcheck, as they stood when the run was queued. */
import type { LoadRules } from '../../src/job/ledgers.ts'
import type { RowReader } from '../../src/job/read-row.ts'

/** @throws PermanentError `setting_invalid` */
export function rulesOf(config: RowReader): LoadRules {
  return {
    columns: config.rows('importcolumn').map((column) => ({
      columnName: column.text('column_name'),
      sourceName: column.textOrNull('source_name'),
      type: column.text('type'),
      format: column.textOrNull('format'),
      isRequired: column.flag('is_required'),
      defaultValue: column.textOrNull('default_value'),
      nullTokens: column.texts('null_tokens'),
      transform: column.textOrNull('transform'),
    })),
    checks: config
      .rows('importcheck')
      .filter((check) => check.flag('is_active'))
      .map((check) => ({
        checkName: check.text('check_name'),
        kind: check.word('kind', ['min_rows', 'max_rows', 'rows_near_median', 'null_share', 'unique', 'allowed', 'expression']),
        columnName: check.textOrNull('column_name'),
        expression: check.textOrNull('expression'),
        allowed: check.texts('allowed'),
        low: check.numberOrNull('low'),
        high: check.numberOrNull('high'),
        severity: check.word('severity', ['warn', 'quarantine', 'fail']),
      })),
  }
}
