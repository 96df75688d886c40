import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { readContent } from '../../control-plane/outbox/content.ts'
import { findMail, latestMails, type MailLine } from '../../control-plane/outbox/look-up.ts'
import { type Call, type Command, countIn, jsonOption, WrongCommandLine } from '../command.ts'
import { momentText, zoneHere } from '../moments.ts'
import { withDatabase } from '../open-database.ts'
import { formatTable, plain } from '../print-table.ts'

export const outbox: Command = {
  name: 'outbox',
  words: ['[number]'],
  summary: 'Show mails that went out, or save one to look at.',
  description: [
    'rota outbox                          the latest mails, and who got them',
    'rota outbox 17                       one of them, with the beginning of its text',
    'rota outbox 17 --save mail.eml       the whole, as any mail program opens it',
    '',
    "To send one again: update dba.outbox set state = 'resend' where outbox_id = 17.",
  ].join('\n'),
  options: {
    save: { value: 'file', summary: 'Write the mail into this file; one that is there is not overwritten.' },
    last: { value: 'count', summary: 'How many to show. Default: 20.' },
    json: jsonOption,
  },
  async run(call) {
    const [word] = call.words
    const file = call.text('save')
    if (word === undefined && file === undefined) {
      const count = countIn(call, 'last', { least: 1, most: 10_000 }) ?? 20
      return await withDatabase(call, async (database) => printAll(call, await latestMails(database, count)))
    }
    if (word === undefined || !/^\d{1,15}$/.test(word)) {
      throw new WrongCommandLine('wrong_words', `"${word ?? ''}" is no number of a mail`, { hint: 'Write one that "rota outbox" shows.' })
    }
    return await withDatabase(call, async (database) => {
      const mail = await findMail(database, Number(word))
      if (file === undefined) return printOne(call, mail)
      await pipeline(readContent(database.client, mail.outbox_id), createWriteStream(file, { flags: 'wx' }))
      call.out.line(`Mail ${mail.outbox_id} is in ${file}.`)
      return 0
    })
  },
}

function printAll({ out, has }: Call, mails: MailLine[]): number {
  if (has('json')) out.line(JSON.stringify(mails))
  else if (mails.length === 0) out.line('No mail has gone out yet.')
  else {
    const lines = formatTable(mails, [
      { title: 'number', text: ({ outbox_id }) => String(outbox_id) },
      { title: `at (${zoneHere()})`, text: ({ at }) => momentText(at) },
      { title: 'state', text: ({ state }) => state },
      { title: 'subject', text: ({ subject }) => subject },
      { title: 'got it', text: ({ sent_to }) => sent_to },
      { title: 'did not', text: ({ not_sent_to }) => not_sent_to },
    ])
    for (const line of lines) out.line(line)
  }
  return 0
}

function printOne({ out, has }: Call, mail: MailLine): number {
  if (has('json')) out.line(JSON.stringify(mail))
  else {
    const facts: [string, string | null][] = [
      ['subject', mail.subject],
      ['state', mail.state],
      ['at', momentText(mail.at)],
      ['got it', mail.sent_to],
      ['did not', mail.not_sent_to],
      ['answer', mail.answer],
    ]
    for (const [name, value] of facts) if (value !== null) out.line(`${name.padEnd(8)} ${plain(value)}`)
    out.line('')
    for (const line of mail.excerpt.split('\n')) out.line(plain(line))
  }
  return 0
}
