/**
 * A stable name for an SQLSTATE: Postgres's own condition name for the ones people meet, else `sqlstate_<code>`.
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function nameOfState(state: string): string {
  return names[state] ?? (state === '' ? 'unexpected_error' : `sqlstate_${state.toLowerCase()}`)
}

/** Whether the same statement on the same data fails again: wrong SQL, wrong data, missing rights, missing objects. */
export function isPermanentState(state: string): boolean {
  return permanentClasses.has(state.slice(0, 2))
}

/** Feature, cardinality, data, integrity, login, privilege, cursor, database, schema, syntax and access, check option, limits. */
const permanentClasses = new Set(['0A', '21', '22', '23', '28', '2B', '34', '3D', '3F', '42', '44', '54'])

const names: Record<string, string> = {
  '08000': 'connection_exception',
  '08001': 'connection_failed',
  '08003': 'connection_lost',
  '08004': 'connection_rejected',
  '08006': 'connection_lost',
  '08P01': 'protocol_violation',
  '0A000': 'feature_not_supported',
  '21000': 'cardinality_violation',
  '22001': 'string_data_right_truncation',
  '22003': 'numeric_value_out_of_range',
  '22007': 'invalid_datetime_format',
  '22008': 'datetime_field_overflow',
  '22012': 'division_by_zero',
  '22021': 'character_not_in_repertoire',
  '22023': 'invalid_parameter_value',
  '22P02': 'invalid_text_representation',
  '22P04': 'bad_copy_file_format',
  '22P05': 'untranslatable_character',
  '23502': 'not_null_violation',
  '23503': 'foreign_key_violation',
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '23P01': 'exclusion_violation',
  '25006': 'read_only_sql_transaction',
  '25P02': 'in_failed_sql_transaction',
  '25P03': 'idle_in_transaction_session_timeout',
  '28000': 'invalid_authorization_specification',
  '28P01': 'invalid_password',
  '3D000': 'database_not_found',
  '3F000': 'schema_not_found',
  '40001': 'serialization_failure',
  '40P01': 'deadlock_detected',
  '42501': 'insufficient_privilege',
  '42601': 'syntax_error',
  '42701': 'duplicate_column',
  '42702': 'ambiguous_column',
  '42703': 'undefined_column',
  '42704': 'undefined_object',
  '42710': 'duplicate_object',
  '42804': 'datatype_mismatch',
  '42830': 'invalid_foreign_key',
  '42883': 'undefined_function',
  '42P01': 'undefined_table',
  '42P06': 'duplicate_schema',
  '42P07': 'duplicate_table',
  '42P16': 'invalid_table_definition',
  '53100': 'disk_full',
  '53200': 'out_of_memory',
  '53300': 'too_many_connections',
  '54000': 'program_limit_exceeded',
  '55006': 'object_in_use',
  '55P03': 'lock_not_available',
  '57014': 'query_canceled',
  '57P01': 'admin_shutdown',
  '57P02': 'crash_shutdown',
  '57P03': 'cannot_connect_now',
  '57P05': 'idle_session_timeout',
  P0001: 'raise_exception',
  XX000: 'internal_error',
}
