import { spawn } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { mailPage } from '../../../systemscripts/mail/mail-page.ts'
import { readContent } from '../../control-plane/outbox/content.ts'
import { findRendered, requestPreview } from '../../control-plane/report-requests.ts'
import { carryOutRun, reportRun } from '../carry-out-run.ts'
import { type Call, type Command, jsonOption, WrongCommandLine } from '../command.ts'
import { type Database, withDatabase } from '../open-database.ts'
import { plain } from '../print-table.ts'

export const report: Command = {
  name: 'report',
  words: ['<report>'],
  summary: 'Show what a report would mail, sending nothing; or send it to yourself.',
  description: [
    'rota report "open orders" --preview                    renders it, saves page and files, and opens the page',
    'rota report "open orders" --preview --save page.html   saves the page there, its files beside it',
    'rota report "open orders" --to me@example.com          sends it to you alone, marked as a test',
    '',
    'Its conditions and its freshness gate hold nothing back here; of a report with recipient_query the first mail is made.',
    "The same by SQL: select dba.request_preview('open orders'), or dba.request_preview('open orders', '{me@example.com}').",
    'To send it to its recipients now: rota run <schedule>.',
  ].join('\n'),
  options: {
    preview: { summary: 'Render it and send nothing.' },
    save: { value: 'file', summary: 'Where the page goes; a file that is there is not overwritten. Default: a new temporary folder.' },
    to: { value: 'addresses', summary: 'Send it to these addresses, with commas, in place of its recipients.' },
    json: { ...jsonOption, summary: 'Print the outcome as one JSON object; open nothing.' },
  },
  async run(call) {
    const to = addressesIn(call)
    return withDatabase(call, async (database) => {
      const runId = await requestPreview(database, call.words[0] ?? '', to)
      const ended = await carryOutRun(call, database, runId)
      if (ended.state !== 'succeeded' || to !== null) return reportRun(call, ended)
      const outboxId = await findRendered(database, runId)
      if (outboxId === null) return reportRun(call, ended)
      const saved = await savePage(database, outboxId, call.text('save'))
      if (call.has('json')) call.out.line(JSON.stringify({ run_id: runId, outbox_id: outboxId, ...saved }))
      else tell(call, saved)
      return 0
    })
  },
}

/** Null: a preview. */
function addressesIn(call: Call): string[] | null {
  const to = call.text('to')
  const wrong = (message: string, hint: string) => new WrongCommandLine('wrong_words', message, { hint })
  if (to === undefined && !call.has('preview')) {
    throw wrong('Option "--preview" or "--to" is missing', 'To send it to its recipients now: rota run <schedule>.')
  }
  if (to === undefined) return null
  if (call.has('preview') || call.text('save') !== undefined)
    throw wrong('A test is sent, not saved', 'Leave out "--preview" and "--save", or "--to".')
  return to
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
}

interface Saved {
  page: string
  files: string[]
}

async function savePage({ client }: Database, outboxId: number, wanted: string | undefined): Promise<Saved> {
  const pieces: Buffer[] = []
  for await (const piece of readContent(client, outboxId)) pieces.push(piece)
  const { html, files } = await mailPage(Buffer.concat(pieces))
  const page = wanted === undefined ? join(await mkdtemp(join(tmpdir(), 'rota-report-')), 'page.html') : resolve(wanted)
  const saved: Saved = { page, files: [] }
  await save(page, html)
  for (const { fileName, content } of files) {
    const path = join(dirname(page), fileName.replace(/[/\\]/g, '_'))
    await save(path, content)
    saved.files.push(path)
  }
  return saved
}

async function save(path: string, content: string | Buffer): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new PermanentError('file_exists', `There is a file "${path}" already`, {
      hint: 'Name another place with --save, or take it away.',
      cause: error,
    })
  }
}

function tell({ out, text }: Call, { page, files }: Saved): void {
  out.line(`Sent to nobody. The page is ${plain(page)}`)
  for (const file of files) out.line(`Attached: ${plain(file)}`)
  if (out.isTerminal && text('save') === undefined) open(page)
}

/** In the browser of whoever sits here; where there is none, the printed path is the answer. */
function open(page: string): void {
  const program = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open'
  spawn(program, [page], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
