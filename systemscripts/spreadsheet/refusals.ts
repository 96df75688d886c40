import { PermanentError } from '../errors.ts'

export function workbookTooLarge(fileName: string, detail: string): PermanentError {
  return new PermanentError('workbook_too_large', `Workbook "${fileName}" is too large to be read`, {
    detail,
    hint: 'Ask the sender for a CSV, or for several smaller workbooks.',
  })
}

export function workbookBroken(fileName: string, detail: string, cause?: unknown): PermanentError {
  return new PermanentError('workbook_broken', `Workbook "${fileName}" is broken or cut off`, {
    detail,
    hint: 'Ask the sender to send it again, and compare the sizes.',
    cause,
  })
}

/** `wanted` is a name, or a number from 1. */
export function sheetNotFound(fileName: string, wanted: string | number, names: string[]): PermanentError {
  const asked = typeof wanted === 'number' ? `sheet number ${wanted}` : `sheet "${wanted}"`
  return new PermanentError('sheet_not_found', `Workbook has no ${asked}`, {
    detail: `File ${fileName} has sheets ${names.map((name) => `"${name}"`).join(', ')}.`,
    hint: 'Correct sheet in dba.importconfig, or ask the sender which sheet holds the data.',
  })
}

/** `kind` as the workbook has it: `chartsheet`, `xlMacrosheet` … */
export function sheetWithoutCells(fileName: string, sheet: string, kind: string): PermanentError {
  return new PermanentError('sheet_without_cells', `Sheet "${sheet}" is no worksheet`, {
    detail: `In file ${fileName} it is of the kind "${kind}", which holds no table.`,
    hint: 'Set sheet in dba.importconfig to the sheet that holds the data.',
  })
}

export function htmlTableNotFound(fileName: string, wanted: string | number | null, tables: number): PermanentError {
  const message = wanted === null ? 'no table' : `no table ${typeof wanted === 'number' ? `number ${wanted}` : `"${wanted}"`}`
  return new PermanentError('html_table_not_found', `Web page "${fileName}" has ${message}`, {
    detail: `Tables in it: ${tables}.`,
    hint: 'Set sheet to the number of the table, counted from 1, or look at the file: it may be an error page that was saved instead of data.',
  })
}

/** Nothing but charts or macros. */
export function workbookWithoutSheet(fileName: string, sheets: { name: string }[]): PermanentError {
  return new PermanentError('workbook_without_sheet', `Workbook "${fileName}" has no worksheet`, {
    detail: `It has ${sheets.length === 0 ? 'no sheets at all' : `only charts or macros: ${sheets.map(({ name }) => `"${name}"`).join(', ')}`}.`,
    hint: 'Ask the sender for the workbook with the data.',
  })
}
