import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { openGmailRoute } from '../../../systemscripts/outgoing-mail/gmail-route.ts'

const mail = Buffer.from('To: ann@example.com\r\nSubject: x\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n')
const envelope = {
  sender: 'rota@example.com',
  recipients: ['ann@example.com', 'boss@example.com'],
  messageId: '<1@example.com>',
  subject: 'x',
  date: new Date(),
  sizeBytes: mail.length,
  round: 1,
}

/** Answers as the Gmail API does. `sends`: status of each upload in turn, 0: the connection is cut once the mail is here; after that 200. */
async function standIn(t: { after(end: () => void): void }, sends: number[]) {
  const seen = { uploads: [] as string[], isFound: false }
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const answer = (status: number, body: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url?.startsWith('/token')) return answer(200, { access_token: 'token', expires_in: 3600 })
    if (!request.url?.startsWith('/upload/')) return answer(200, { messages: seen.isFound ? [{ id: 'm1' }] : [] })
    seen.uploads.push(Buffer.concat(pieces).toString())
    const status = sends.shift() ?? 200
    if (status === 0) return void request.socket.destroy()
    answer(status, status === 200 ? { id: 'm1' } : { error: { code: status, message: `status ${status}` } })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const rootUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`
  const route = openGmailRoute({
    user: 'rota@example.com',
    rootUrl,
    patience: 0.01,
    secret: { tokenUrl: `${rootUrl}token`, grant: { kind: 'refresh_token', clientId: 'c', clientSecret: null, refreshToken: 'r' } },
  })
  const content = async function* (): AsyncGenerator<Buffer> {
    yield mail
  }
  return { seen, send: async () => await route.send(envelope, content) }
}

test('Gmail gets the mail with whom it does not name in Bcc', async (t) => {
  const { seen, send } = await standIn(t, [])
  assert.equal((await send()).state, 'sent')
  assert.match(
    seen.uploads.join(),
    /To: ann@example[.]com\r\nSubject: x\r\nMessage-ID: <1@example[.]com>\r\nBcc: boss@example[.]com\r\n\r\nHello\r\n/,
  )
})

test('what Gmail refuses, puts off, and leaves unsaid are told apart, each tried once', async (t) => {
  const { seen, send } = await standIn(t, [400, 429, 503, 0, 0])
  assert.deepEqual(
    [(await send()).state, (await send()).state, (await send()).state, (await send()).state],
    ['refused', 'deferred', 'unknown', 'unknown'],
  )
  seen.isFound = true
  assert.equal((await send()).state, 'sent')
  assert.equal(seen.uploads.length, 5)
})
