/**
 * 1,000 mails, each to somebody else and with a small file, to an SMTP server in another process: composed, stored, marked, sent and settled by the outbox;
 * beside it, in turns, bare nodemailer with its pool of five connections, which composes and sends. Ratios of one round, their median. What the
 * outbox does more: every mail and recipient is in the database, with fsync, before and after.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createTransport } from 'nodemailer'
import { openPool } from '../../src/db/open.ts'
import type { NewMail } from '../../src/job/outbox.ts'
import { composeMail } from '../../systemscripts/outgoing-mail/compose-mail.ts'
import { openRun, outboxOf } from '../control-plane/outbox/outbox-bench.ts'
import { type Bench, quantile } from './bench-server.ts'

const mails = 1000
const rounds = 5
const html = `<p>Good morning</p><table>${'<tr><td>PLN</td><td>4.2750</td></tr>'.repeat(40)}</table>`
const csv = Buffer.from('currency;rate\r\n'.repeat(200))

export const outgoingMail: Bench = async (server, say) => {
  const sink = spawn(process.execPath, [fileURLToPath(new URL('smtp-sink.ts', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: sink.stdout })
  const port = Number((await once(lines, 'line'))[0])
  const database = await server.migrated()
  await database.pool.query(
    `insert into dba.connection (connection_name, kind, host, port, tls) values ('post', 'smtp', '127.0.0.1', $1, 'off')`,
    [port],
  )
  const pool = openPool(database.url, { role: 'rota_worker', applicationName: 'rota bench', max: 4 })
  const runId = await openRun(pool)
  const { outbox, close } = await outboxOf({ pool, url: database.url, dataDir: database.dataDir, runId })
  const found = { outbox: [] as number[], bare: [] as number[], ratios: [] as number[] }
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const ours = await timed(async () => {
        const stored = await outbox.store(ourMails(round))
        const sent = await outbox.send(stored)
        if (sent.some(({ state }) => state !== 'sent')) throw new Error('not all were sent')
      })
      const bare = await timed(() => sendBare(port))
      say(
        `outgoing mail, round ${round}: the outbox ${Math.round(mails / ours)} mails/s, bare nodemailer ${Math.round(mails / bare)} mails/s`,
      )
      if (round === 0) continue
      found.outbox.push(mails / ours)
      found.bare.push(mails / bare)
      found.ratios.push(bare / ours)
    }
    sink.stdin.write('how many\n')
    const arrived = Number((await once(lines, 'line'))[0])
    if (arrived !== 2 * mails * (rounds + 1)) throw new Error(`${arrived} mails arrived`)
  } finally {
    await close()
    await pool.end()
    sink.stdin.end()
  }
  return [
    {
      what: '1,000 mails through the outbox',
      value: `${Math.round(quantile(found.outbox, 0.5))} mails/s`,
      ratio: `${quantile(found.ratios, 0.5).toFixed(2)} × bare nodemailer's rate (at least 0.5)`,
    },
    { what: '1,000 mails, bare nodemailer with a pool', value: `${Math.round(quantile(found.bare, 0.5))} mails/s` },
  ]
}

async function* ourMails(round: number): AsyncGenerator<NewMail> {
  for (let at = 0; at < mails; at += 1) {
    const mail = await composeMail({
      ...draftOf(at),
      sender: 'rota@example.com',
      to: [`reader-${at}@example.com`],
      files: [{ fileName: 'rates.csv', content: csv }],
    })
    yield { onceKey: `${round} ${at}`, kind: 'report', mail, connectionName: 'post' }
  }
}

async function sendBare(port: number): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, pool: true })
  await Promise.all(
    Array.from({ length: mails }, (_, at) =>
      transport.sendMail({
        ...draftOf(at),
        from: 'rota@example.com',
        to: `reader-${at}@example.com`,
        attachments: [{ filename: 'rates.csv', content: csv }],
      }),
    ),
  )
  transport.close()
}

function draftOf(at: number): { subject: string; html: string; text: string } {
  return { subject: `Rates for reader ${at}`, html, text: 'Good morning' }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}
