import { type Rehearsal, readRehearsal, requestRehearsal } from '../../control-plane/rehearsals.ts'
import { carryOutRun, reportRun } from '../carry-out-run.ts'
import { type Call, type Command, countIn, jsonOption, WrongCommandLine } from '../command.ts'
import { momentText, zoneHere } from '../moments.ts'
import { withDatabase } from '../open-database.ts'
import { formatTable, plain } from '../print-table.ts'

export const inbox: Command = {
  name: 'inbox',
  words: ['<config>'],
  summary: 'Show what the rules of a mailbox would do with its latest mails, touching nothing.',
  description: [
    'rota inbox "price mails" --rehearse',
    'rota inbox "price mails" --rehearse --days 7 --all',
    '',
    'Shows the mails that this rule would take or refuse, and where their files would go; with --all also those that it would leave alone, and',
    "why. Neither the mailbox nor any folder is touched. The same by SQL: select dba.request_rehearsal('price mails', 30).",
  ].join('\n'),
  options: {
    rehearse: { summary: 'Look and tell; required.' },
    days: { value: 'count', summary: 'How many days back. Default: 30.' },
    all: { summary: 'Also mails that the rule would leave alone.' },
    json: { ...jsonOption, summary: 'Print the answer as one JSON object.' },
  },
  async run(call) {
    if (!call.has('rehearse')) {
      throw new WrongCommandLine('wrong_words', 'Option "--rehearse" is missing', {
        hint: 'To have mails taken now: rota run <schedule>. To see what would be taken: rota inbox <config> --rehearse.',
      })
    }
    const days = countIn(call, 'days', { least: 1, most: 3650 }) ?? 30
    return withDatabase(call, async (database) => {
      const { rehearsalId, runId } = await requestRehearsal(database, call.words[0] ?? '', days)
      const ended = await carryOutRun(call, database, runId)
      if (ended.state !== 'succeeded') return reportRun(call, ended)
      const rehearsal = await readRehearsal(database, rehearsalId)
      if (call.has('json')) call.out.line(JSON.stringify(rehearsal))
      else print(call, rehearsal)
      return 0
    })
  },
}

function print({ out, has }: Call, { config_name: config, message, mails }: Rehearsal): void {
  out.line(plain(message ?? ''))
  const shown = mails.filter(
    (mail) => mail.config_name === config && (has('all') || mail.decision === 'matched' || mail.decision === 'refused'),
  )
  if (shown.length === 0) return
  out.line('')
  const lines = formatTable(shown, [
    { title: `received (${zoneHere()})`, text: ({ received_at }) => momentText(received_at) },
    { title: 'sender', text: ({ sender }) => sender },
    { title: 'subject', text: ({ subject }) => subject },
    { title: 'what', text: ({ decision }) => words[decision] ?? decision },
    { title: 'files, or why', text: ({ files, detail }) => (files?.length ? files.join(', ') : detail) },
    { title: 'goes to', text: ({ would_file_to }) => would_file_to },
  ])
  for (const line of lines) out.line(line)
}

const words: Record<string, string> = { matched: 'taken', not_matched: 'left alone', refused: 'refused', not_asked: 'another rule' }
