import { PermanentError } from '../errors.ts'

const HINT = 'Ask the sender for one JSON object a line, or for one array of objects.'

export function jsonBroken(fileName: string, line: number, detail: string): PermanentError {
  return new PermanentError('json_broken', `File "${fileName}" is no JSON from line ${line} on`, {
    detail,
    hint: 'Ask the sender to send it again.',
  })
}

export function jsonNotRecords(fileName: string, line: number, found: string): PermanentError {
  return new PermanentError('json_not_records', `File "${fileName}" holds JSON other than records`, {
    detail: `Line ${line} has ${found} where an object was to come.`,
    hint: HINT,
  })
}

export function jsonRecordTooLarge(fileName: string, line: number, limit: number): PermanentError {
  return new PermanentError('json_record_too_large', `File "${fileName}" has a record of more than ${limit} characters`, {
    detail: `It begins in line ${line}.`,
    hint: HINT,
  })
}

export function tooManyKeys(fileName: string, limit: number, line: number): PermanentError {
  return new PermanentError('json_too_many_keys', `Records of file "${fileName}" have more than ${limit} keys`, {
    detail: `Up to line ${line} so many different ones were found; a table of Postgres has no more columns.`,
    hint: 'Ask the sender for records with the same few keys: what differs from record to record belongs in values, not in keys.',
  })
}
