import type { Check } from '../../../systemscripts/table-loader/checks.ts'
import type { LoadRules } from '../../job/ledgers.ts'
import type { LedgerDeps } from '../files.ts'

/** What people wrote about columns and rows of these settings. */
export async function readRules({ pool, configName }: LedgerDeps): Promise<LoadRules> {
  const columns = await pool.query<ColumnRow>(
    `select column_name, source_name, type, format, is_required, default_value, coalesce(null_tokens, '{}') as null_tokens, transform
     from dba.importcolumn
     where config_name = $1
     order by column_name`,
    [configName],
  )
  const checks = await pool.query<CheckRow>(
    `select check_name, kind, column_name, expression, coalesce(allowed, '{}') as allowed, low::float8, high::float8, severity
     from dba.importcheck
     where config_name = $1 and is_active
     order by check_name`,
    [configName],
  )
  return {
    columns: columns.rows.map((row) => ({
      columnName: row.column_name,
      sourceName: row.source_name,
      type: row.type,
      format: row.format,
      isRequired: row.is_required,
      defaultValue: row.default_value,
      nullTokens: row.null_tokens,
      transform: row.transform,
    })),
    checks: checks.rows.map((row) => ({
      checkName: row.check_name,
      kind: row.kind,
      columnName: row.column_name,
      expression: row.expression,
      allowed: row.allowed,
      low: row.low,
      high: row.high,
      severity: row.severity,
    })),
  }
}

interface ColumnRow {
  column_name: string
  source_name: string | null
  type: string
  format: string | null
  is_required: boolean
  default_value: string | null
  null_tokens: string[]
  transform: string | null
}

interface CheckRow {
  check_name: string
  kind: Check['kind']
  column_name: string | null
  expression: string | null
  allowed: string[]
  low: number | null
  high: number | null
  severity: Check['severity']
}
