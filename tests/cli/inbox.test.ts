import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { testKey } from '../helpers/engine.ts'
import { workerSecrets } from '../helpers/worker-process.ts'
import { plainMail } from '../systemscripts/mail/make-mail.ts'
import { rota, startRota } from './rota-process.ts'

test('inbox --rehearse shows what a rule would do and touches nothing', async (t) => {
  const { url, dataDir, query } = await freshDatabase(t)
  const env = { DATABASE_URL: url, ROTA_DATA_DIR: dataDir }
  assert.equal((await rota(['migrate'], { env })).code, 0)
  await mkdir(join(dataDir, 'drop'))
  const files = [{ name: 'a.csv', bytes: Buffer.from('a,b\n1,2\n') }]
  const date = new Date().toUTCString()
  await writeFile(join(dataDir, 'drop', '1.eml'), plainMail({ date, files }))
  await writeFile(join(dataDir, 'drop', '2.eml'), plainMail({ date, subject: 'Lunch?' }))
  await query(`insert into dba.connection (connection_name, kind, database_name) values ('drop', 'folder', 'drop')`)
  await query(
    `insert into dba.inboxconfig (config_name, connection_name, subject_pattern, save_to) values ('price mails', 'drop', '^Prices', 'saved')`,
  )
  const shown = await rota(['inbox', 'price mails', '--rehearse', '--days', '7'], { env })
  assert.equal(shown.code, 0, shown.err)
  assert.match(shown.out, /^Of 2 mails of the last 7 days "price mails" would take 1\.$/m)
  assert.match(shown.out, /ann@example\.com +Prices +taken +a\.csv +Processed/)
  assert.doesNotMatch(shown.out, /Lunch/)
  const all = await rota(['inbox', 'price mails', '--rehearse', '--all'], { env })
  assert.match(all.out, /Lunch\? +left alone +subject "Lunch\?" does not match/)
  const json = JSON.parse((await rota(['inbox', 'price mails', '--rehearse', '--json'], { env })).out)
  assert.deepEqual([json.state, json.matched, json.mails.length], ['done', 1, 2])
  assert.deepEqual((await readdir(join(dataDir, 'drop'))).sort(), ['1.eml', '2.eml'])
  assert.deepEqual(await query('select from dba.message'), [])
  const unknown = await rota(['inbox', 'price mail', '--rehearse'], { env })
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /no config "price mail" in dba\.inboxconfig/)
  assert.equal((await rota(['inbox', 'price mails'], { env })).code, 2)
})

test('gmail-login prints an address, takes what the browser was sent to, and keeps the token', async (t) => {
  const database = await freshDatabase(t)
  const { url, dataDir } = database
  const env = { DATABASE_URL: url, ROTA_DATA_DIR: dataDir, ROTA_SECRET_KEY: testKey }
  assert.equal((await rota(['migrate'], { env })).code, 0)
  const asked: URLSearchParams[] = []
  const google = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(Buffer.from(piece))
    asked.push(new URLSearchParams(Buffer.concat(pieces).toString()))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: 'short', refresh_token: 'long lived', expires_in: 3600, token_type: 'Bearer' }))
  }).listen(0, '127.0.0.1')
  t.after(() => google.close())
  await new Promise((resolve) => google.once('listening', resolve))
  const address = google.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const client = join(dataDir, 'client.json')
  const tokenUrl = `http://127.0.0.1:${port}/token`
  await writeFile(client, JSON.stringify({ installed: { client_id: 'us', client_secret: 'hush', token_uri: tokenUrl } }))
  const first = await rota(['gmail-login', 'office_gmail'], { env })
  assert.match(first.err, /There is no OAuth client to log in with/)

  const foreign = await rota(['gmail-login', 'office_gmail', '--client', client], {
    env,
    input: 'http://127.0.0.1:1/?state=other&code=4/abc\n',
  })
  assert.equal(foreign.code, 1)
  assert.match(foreign.err, /belongs to another login/)
  // The code alone, as some people copy it.
  const done = startRota(['gmail-login', 'office_gmail', '--client', client, '--user', 'us@example.org'], {
    env,
    input: '4/0AbCdEf-ghijkl\n',
  })
  const { code, out, err } = await done.ended
  assert.equal(code, 0, err)
  const consent = new URL(/https:\/\/accounts\.google\.com\S+/.exec(err)?.[0] ?? '')
  assert.equal(consent.searchParams.get('client_id'), 'us')
  assert.equal(consent.searchParams.get('login_hint'), 'us@example.org')
  assert.match(out, /Secret "office_gmail" is set/)
  assert.equal(asked.at(-1)?.get('code'), '4/0AbCdEf-ghijkl')
  const secrets = await workerSecrets(database)
  assert.deepEqual(JSON.parse(await secrets.get('office_gmail')), {
    client_id: 'us',
    client_secret: 'hush',
    refresh_token: 'long lived',
    token_uri: tokenUrl,
  })
  const again = await rota(['gmail-login', 'office_gmail'], { env, input: '4/0AbCdEf-ghijkl\n' })
  assert.equal(again.code, 0, again.err)
})
