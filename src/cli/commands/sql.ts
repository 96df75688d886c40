import { Client, DatabaseError, type FieldDef, Query, type QueryArrayConfig } from 'pg'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { explainError } from '../../db/explain-error.ts'
import { valueTypes } from '../../db/open.ts'
import { type Call, type Command, jsonOption, WrongCommandLine } from '../command.ts'
import { becomeDba, findAddress } from '../open-database.ts'
import { readAll } from '../read-input.ts'
import { csvPrinter, jsonPrinter, type ResultPrinter, tablePrinter } from '../result-printers.ts'

export const sql: Command = {
  name: 'sql',
  words: ['[statement]'],
  summary: 'Run SQL on the control database.',
  description: [
    'rota sql "select * from dba.problem"',
    'rota sql --csv "select * from dba.run" > runs.csv',
    'rota sql < onboarding/sql/demo.sql',
    '',
    'Without a statement it is read from the standard input. Several, separated by semicolons, run in one transaction.',
    'CSV: an empty field is null, "" is empty text.',
  ].join('\n'),
  options: {
    role: { value: 'role', summary: 'Role to act as (default rota_dba where the login may); none: the login itself.' },
    csv: { summary: 'Print CSV instead of columns.' },
    json: { ...jsonOption, summary: 'Print one JSON object a row instead of columns.' },
  },
  async run(call) {
    if (call.has('csv') && call.has('json')) throw wrong('Output is either CSV or JSON', 'Leave --csv or --json out.')
    const statement = call.words[0] ?? (await readAll(call.deps.stdin))
    if (statement.trim() === '') throw wrong('There is no statement', 'Write it in quotes: rota sql "select * from dba.problem"')
    const { url } = await findAddress(call.config())
    // for eyes and CSV a value stays as Postgres writes it
    const types = call.has('json') ? valueTypes : { getTypeParser: () => (value: string) => value }
    const client = new Client({ connectionString: url, application_name: 'rota sql', types })
    client.on('error', () => {})
    client.on('notice', ({ severity, message }) => call.err.line(`${severity ?? 'NOTICE'}:  ${message ?? ''}`))
    await client.connect()
    const stop = () => void client.end()
    call.out.closed.addEventListener('abort', stop)
    try {
      const role = call.text('role')
      if (role === undefined) await client.query(becomeDba)
      else await client.query(`select set_config('role', $1, false)`, [role])
      await printResults(client, statement, printerFor(call))
    } catch (error) {
      if (!call.out.closed.aborted) throw error
    } finally {
      call.out.closed.removeEventListener('abort', stop)
      await client.end()
    }
    return 0
  },
}

function printerFor(call: Call): ResultPrinter {
  if (call.has('csv')) return csvPrinter(call.out, call.err)
  return call.has('json') ? jsonPrinter(call.out, call.err) : tablePrinter(call.out)
}

/** What the driver tells of one statement. */
interface Result {
  command: string | null
  rowCount: number | null
  fields: FieldDef[]
}

/** Hands rows on as they arrive: with CSV and JSON a large table costs no memory. */
function printResults(client: Client, text: string, print: ResultPrinter): Promise<void> {
  return new Promise((resolve, reject) => {
    const asArrays: QueryArrayConfig = { text, rowMode: 'array' }
    const query = new Query(asArrays)
    const begun = new Set<unknown>()
    query.on('row', (row: unknown, result) => {
      if (result === undefined || !Array.isArray(row)) return
      if (!begun.has(result)) {
        if (begun.size > 0) print.end()
        begun.add(result)
        print.begin(result.fields)
      }
      print.row(row)
    })
    query.on('end', (ended: unknown) => {
      if (begun.size > 0) print.end()
      for (const result of [ended].flat()) if (isResult(result) && !begun.has(result)) printEmpty(result, print)
      resolve()
    })
    query.on('error', (error) => reject(error instanceof DatabaseError ? withPlace(error, text) : error))
    client.query(query)
  })
}

function isResult(value: unknown): value is Result {
  return typeof value === 'object' && value !== null && 'fields' in value && 'command' in value
}

function printEmpty({ command, rowCount, fields }: Result, print: ResultPrinter): void {
  if (fields.length > 0) {
    print.begin(fields)
    print.end()
  } else if (command !== null) print.done(rowCount === null ? command : `${command} ${rowCount}`)
}

/** Postgres's four fields, with the line and word its position points to. */
function withPlace(error: DatabaseError, text: string): unknown {
  if (error.position === undefined) return error
  const before = Array.from(text)
    .slice(0, Number(error.position) - 1)
    .join('')
  const line = before.split('\n').length
  const word = /^\S*/.exec(text.slice(before.length))?.[0] ?? ''
  const { code, message, detail, hint } = explainError(error)
  const place = `At line ${line}${word === '' ? ', at its end' : `, near "${word}"`}.`
  return new PermanentError(code, message, {
    detail: detail === null ? place : `${place} ${detail}`,
    ...(hint === null ? {} : { hint }),
    cause: error,
  })
}

function wrong(message: string, hint: string): WrongCommandLine {
  return new WrongCommandLine('wrong_words', message, { hint })
}
