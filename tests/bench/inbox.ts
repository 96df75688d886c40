/**
 * A mailbox of 10,000 mails, 1,000 of them with a file, on a Dovecot of this machine: headers of all, structure and file of every tenth,
 * through the whole engine (request, claim, ledger of all mails and decisions, files on the disk). Beside it, in turns, Python's imaplib doing the
 * same fetches without a ledger: in the same batches, and one mail after the other as scripts do. Mails a second, and ratios of one round, their
 * median. What the engine does more: it writes every mail and decision down and brings files to the disk (fsync).
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../helpers/engine.ts'
import { type Dovecot, dovecotIsInstalled, startDovecot } from '../systemscripts/mail/dovecot.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { type Bench, type BenchDatabase, quantile, startBenchWorker } from './bench-server.ts'

const mails = 10_000
const everyWithFile = 10
const rounds = 5

export const inbox: Bench = async (server, say) => {
  if (!dovecotIsInstalled) {
    say('inbox: skipped, dovecot-imapd is not installed')
    return []
  }
  const dovecot = await startDovecot(null)
  const database = await server.migrated()
  process.env.ROTA_BENCH_IMAP_PASSWORD = 'secret'
  await fillMaildir(dovecot, 'bench')
  await configure(database, dovecot.port)
  const worker = await startBenchWorker(database, 2)
  const python = join(database.dataDir, 'fetch.py')
  await writeFile(python, pythonScript)
  const seconds = new Map<string, number[]>()
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const ways: [string, () => Promise<void>][] = [
        ['the engine', () => runEngine(database)],
        ['imaplib, in the same batches', () => runPython(python, dovecot.port, 'batches', database.dataDir)],
        ['imaplib, one after the other', () => runPython(python, dovecot.port, 'single', database.dataDir)],
      ]
      for (const [what, work] of ways) {
        await prepare(database, `${round} ${what}`)
        const begun = performance.now()
        await work()
        const took = (performance.now() - begun) / 1000
        say(`inbox, round ${round}: ${what} ${took.toFixed(2)} s`)
        if (round > 0) seconds.set(what, [...(seconds.get(what) ?? []), took])
      }
    }
  } finally {
    await worker.stop(5)
    await dovecot.end()
  }
  const own = seconds.get('the engine') ?? []
  return [...seconds].map(([what, took]) => ({
    what: `${mails.toLocaleString('en')} mails over IMAP, ${mails / everyWithFile} with a file: ${what}`,
    value: `${Math.round(mails / quantile(took, 0.5)).toLocaleString('en')} mails/s`,
    ...(what === 'the engine'
      ? {}
      : {
          ratio: `the engine is ${quantile(
            took.map((other, index) => other / (own[index] ?? Number.NaN)),
            0.5,
          ).toFixed(2)} × as fast`,
        }),
  }))
}

async function fillMaildir(dovecot: Dovecot, user: string): Promise<void> {
  const folder = dovecot.maildir(user)
  for (const name of ['new', 'cur', 'tmp']) await mkdir(join(folder, name), { recursive: true })
  for (let number = 1; number <= mails; number += 1) {
    const hasFile = number % everyWithFile === 0
    const bytes = Buffer.from('day,price,amount\n2026-11-19,1.5,100\n'.repeat(200))
    const raw = plainMail({
      subject: hasFile ? `Prices ${number}` : `Newsletter ${number}`,
      messageId: `<${number}@example.com>`,
      text: 'Good morning,\r\nthis is what there is today.\r\n'.repeat(20),
      ...(hasFile ? { files: [{ name: `prices-${number}.csv`, bytes, type: 'text/csv' }] } : {}),
    })
    await writeFile(join(folder, 'cur', `${1_700_000_000 + number}.M${number}.bench:2,`), raw)
  }
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'nobody', join(folder, '..')])
}

async function configure({ pool }: BenchDatabase, port: number): Promise<void> {
  await pool.query(
    `insert into dba.connection (connection_name, kind, host, port, user_name, secret_name, tls)
     values ('office', 'imap', '127.0.0.1', $1, 'bench', 'env:ROTA_BENCH_IMAP_PASSWORD', 'off')`,
    [port],
  )
  await pool.query(
    `insert into dba.inboxconfig (config_name, connection_name, subject_pattern, attachment_pattern, save_to, processed_action)
     values ('bench', 'office', '^Prices', '[.]csv$', 'saved', 'leave')`,
  )
  await pool.query(`insert into dba.scheduler (schedule_name, job, config_name, max_attempts) values ('bench', 'inbox', 'bench', 1)`)
}

/** Nothing is known of the mailbox. Files of the round before are put aside: ext4 takes long to make new ones where as many were just deleted. */
async function prepare({ pool, dataDir }: BenchDatabase, round: string): Promise<void> {
  await pool.query('truncate dba.message, dba.messagefile, dba.mailbox')
  if (existsSync(join(dataDir, 'saved'))) await rename(join(dataDir, 'saved'), join(dataDir, `saved before ${round}`))
  await mkdir(join(dataDir, 'saved'))
  await chmod(join(dataDir, 'saved'), 0o777)
  await pool.query('checkpoint')
}

async function runEngine({ pool }: BenchDatabase): Promise<void> {
  const { rows } = await pool.query<{ run_id: string }>(`insert into dba.run (schedule_name) values ('bench') returning run_id`)
  const ended = await eventually(
    async () =>
      (
        await pool.query<{ state: string; files: number; error_message: string | null }>(
          `select state, files, error_message from dba.run where run_id = $1 and finished_at is not null`,
          [rows[0]?.run_id],
        )
      ).rows,
    (found) => found.length > 0,
    600,
  )
  const [end] = ended
  if (end?.state !== 'succeeded' || Number(end.files) !== mails / everyWithFile)
    throw new Error(`the run ended otherwise: ${JSON.stringify(end)}`)
}

async function runPython(script: string, port: number, how: string, dataDir: string): Promise<void> {
  const child = spawn('/usr/bin/python3', [script, String(port), how, join(dataDir, 'saved')], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`imaplib ended with ${code}`)
}

const pythonScript = `
import base64, imaplib, os, re, sys
from email.parser import BytesHeaderParser

port, how, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
batch = 500 if how == 'batches' else 1
box = imaplib.IMAP4('127.0.0.1', port)
box.login('bench', 'secret')
box.select('INBOX', readonly=True)
uids = box.uid('search', None, 'ALL')[1][0].split()
parser = BytesHeaderParser()
matching = []

def fetched(uids, what, size):
    for at in range(0, len(uids), size):
        for answer in box.uid('fetch', b','.join(uids[at:at + size]), what)[1]:
            if isinstance(answer, tuple):
                yield re.search(rb'UID (\\d+)', answer[0]).group(1), answer[1]
            elif b'BODYSTRUCTURE' in answer:
                yield re.search(rb'UID (\\d+)', answer).group(1), answer

for uid, header in fetched(uids, '(UID RFC822.SIZE INTERNALDATE FLAGS BODY.PEEK[HEADER])', batch):
    if re.search('^Prices', parser.parsebytes(header)['Subject'] or ''):
        matching.append(uid)
withfile = [(uid, re.search(rb'prices-\\d+[.]csv', body).group(0).decode()) for uid, body in fetched(matching, '(UID BODYSTRUCTURE)', batch)]
names = dict(withfile)
for uid, content in fetched([uid for uid, _ in withfile], '(UID BODY.PEEK[2])', min(batch, 100)):
    with open(os.path.join(folder, names[uid]), 'wb') as file:
        file.write(base64.b64decode(content))
box.logout()
saved = len(os.listdir(folder))
assert saved == ${mails / everyWithFile}, saved
`
