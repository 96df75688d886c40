import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMail } from '../../../systemscripts/outgoing-mail/compose-mail.ts'
import type { MailDraft } from '../../../systemscripts/outgoing-mail/composed-mail.ts'
import type { Delivery, Envelope, MailRoute } from '../../../systemscripts/outgoing-mail/mail-route.ts'
import type { SmtpOptions } from '../../../systemscripts/outgoing-mail/smtp/options.ts'
import { openSmtpRoute } from '../../../systemscripts/outgoing-mail/smtp-route.ts'
import { type SmtpStandIn, startSmtpStandIn } from './smtp-stand-in.ts'

type Ending = { after(end: () => Promise<void>): void }

function routeTo(t: Ending, { port }: SmtpStandIn, options: Partial<SmtpOptions> = {}): MailRoute {
  const route = openSmtpRoute({ host: '127.0.0.1', port, tls: 'off', user: null, login: null, timeoutSeconds: 5, ...options })
  t.after(() => route.close())
  return route
}

async function mailTo(
  to: string[],
  draft: Partial<MailDraft> = {},
): Promise<{ envelope: Envelope; content: () => AsyncIterable<Buffer>; bytes: string }> {
  const mail = await composeMail({ sender: 'rota@example.com', to, subject: 'Prices', html: null, text: 'Hello.\n.dot\n', ...draft })
  const pieces: Buffer[] = []
  for await (const piece of mail.content()) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  const envelope = { ...mail, recipients: mail.recipients.map(({ address }) => address), sizeBytes: bytes.length, round: 1 }
  return {
    envelope,
    bytes: bytes.toString('latin1'),
    content: async function* () {
      yield bytes
    },
  }
}

async function sendOne(t: Ending, server: SmtpStandIn, options: Partial<SmtpOptions> = {}): Promise<Delivery> {
  const { envelope, content } = await mailTo(['ann@example.com'])
  return await routeTo(t, server, options).send(envelope, content)
}

test('a mail that is taken arrives byte for byte', async (t) => {
  const server = await startSmtpStandIn(t)
  const { envelope, content, bytes } = await mailTo(['ann@example.com', 'bob@example.com'])
  const delivery = await routeTo(t, server).send(envelope, content)
  assert.equal(delivery.state, 'sent')
  assert.deepEqual(
    delivery.recipients.map(({ address, state, code }) => [address, state, code]),
    [
      ['ann@example.com', 'sent', '250'],
      ['bob@example.com', 'sent', '250'],
    ],
  )
  assert.deepEqual(server.mails, [{ from: 'rota@example.com', to: ['ann@example.com', 'bob@example.com'], content: bytes }])
})

for (const hasPipelining of [true, false]) {
  for (const stage of ['greeting', 'ehlo', 'mail', 'rcpt', 'data'] as const) {
    test(`a connection cut at ${stage}${hasPipelining ? '' : ', one command at a time,'} leaves the mail with nobody, and it may be tried again`, async (t) => {
      const server = await startSmtpStandIn(t)
      server.hasPipelining = hasPipelining
      server.faults.push({ stage, answer: 'cut' })
      const delivery = await sendOne(t, server)
      assert.equal(delivery.state, 'deferred')
      assert.equal(delivery.recipients[0]?.state, 'deferred')
      assert.match(delivery.error?.code ?? '', /^(smtp_unreachable|mail_interrupted)$/)
      assert.deepEqual(server.mails, [])
      assert.equal((await sendOne(t, server)).state, 'sent')
    })

    test(`a server that says 421 at ${stage}${hasPipelining ? '' : ', one command at a time,'} has the mail tried again`, async (t) => {
      const server = await startSmtpStandIn(t)
      server.hasPipelining = hasPipelining
      server.faults.push({ stage, answer: '421 4.3.2 closing' })
      assert.equal((await sendOne(t, server)).state, 'deferred')
      assert.deepEqual(server.mails, [])
    })
  }

  for (const stage of ['mail', 'rcpt', 'data', 'after_dot'] as const) {
    test(`a server that says 5xx at ${stage}${hasPipelining ? '' : ', one command at a time,'} has refused the mail`, async (t) => {
      const server = await startSmtpStandIn(t)
      server.hasPipelining = hasPipelining
      server.faults.push({ stage, answer: '550 5.7.1 not wanted' })
      const delivery = await sendOne(t, server)
      assert.equal(delivery.state, 'refused')
      assert.equal(delivery.error?.code, 'mail_refused')
      assert.deepEqual(
        delivery.recipients.map(({ state, code, text }) => [state, code, text]),
        [['refused', '550', '5.7.1 not wanted']],
      )
    })

    test(`a server that says 4xx at ${stage}${hasPipelining ? '' : ', one command at a time,'} has the mail tried again`, async (t) => {
      const server = await startSmtpStandIn(t)
      server.hasPipelining = hasPipelining
      server.faults.push({ stage, answer: '451 4.7.1 later' })
      const delivery = await sendOne(t, server)
      assert.equal(delivery.state, 'deferred')
      assert.equal(delivery.error?.code, 'mail_deferred')
      assert.deepEqual(server.mails, [])
    })
  }
}

test('a connection cut in the middle of a large mail leaves it with nobody', async (t) => {
  const server = await startSmtpStandIn(t)
  server.faults.push({ stage: 'mid_data', answer: 'cut' })
  const { envelope, content } = await mailTo(['ann@example.com'], { files: [{ fileName: 'a.bin', content: Buffer.alloc(12_000_000) }] })
  const delivery = await routeTo(t, server).send(envelope, content)
  assert.equal(delivery.state, 'deferred')
  assert.equal(delivery.error?.code, 'mail_interrupted')
})

test('a connection cut after the last dot leaves it unknown, whether the server has the mail or not', async (t) => {
  const server = await startSmtpStandIn(t)
  server.faults.push({ stage: 'after_dot', answer: 'cut' })
  const delivery = await sendOne(t, server)
  assert.equal(delivery.state, 'unknown')
  assert.equal(delivery.error?.code, 'mail_fate_unknown')
  assert.deepEqual(
    delivery.recipients.map(({ state }) => state),
    ['unknown'],
  )
  assert.equal(server.mails.length, 1)
})

test('a server that falls silent after the last dot leaves it unknown; before it, with nobody', async (t) => {
  const server = await startSmtpStandIn(t)
  server.faults.push({ stage: 'after_dot', answer: 'silence' }, { stage: 'data', answer: 'silence' })
  assert.equal((await sendOne(t, server, { timeoutSeconds: 1 })).state, 'deferred')
  assert.equal((await sendOne(t, server, { timeoutSeconds: 1 })).state, 'unknown')
})

test('who is refused at RCPT is told apart from who is put off, and the others get it', async (t) => {
  const server = await startSmtpStandIn(t)
  server.recipients.set('gone@example.com', '550 5.1.1 no such user')
  server.recipients.set('full@example.com', '452 4.2.2 mailbox full')
  const { envelope, content } = await mailTo(['gone@example.com', 'ann@example.com', 'full@example.com'])
  const delivery = await routeTo(t, server).send(envelope, content)
  assert.equal(delivery.state, 'sent')
  assert.deepEqual(
    delivery.recipients.map(({ state, code }) => [state, code]),
    [
      ['refused', '550'],
      ['sent', '250'],
      ['deferred', '452'],
    ],
  )
  assert.deepEqual(
    server.mails.map(({ to }) => to),
    [['ann@example.com']],
  )
})

test('of recipients that are all turned away, those that were only put off are tried again', async (t) => {
  const server = await startSmtpStandIn(t)
  server.recipients.set('gone@example.com', '550 5.1.1 no such user')
  server.recipients.set('full@example.com', '452 4.2.2 mailbox full')
  const { envelope, content } = await mailTo(['full@example.com', 'gone@example.com'])
  const delivery = await routeTo(t, server).send(envelope, content)
  assert.equal(delivery.state, 'deferred')
  assert.deepEqual(
    delivery.recipients.map(({ state }) => state),
    ['deferred', 'refused'],
  )
})

test('a connection that the server has closed meanwhile is no fault of the mail', async (t) => {
  const server = await startSmtpStandIn(t)
  const route = routeTo(t, server)
  const { envelope, content } = await mailTo(['ann@example.com'])
  assert.equal((await route.send(envelope, content)).state, 'sent')
  server.faults.push({ stage: 'mail', answer: 'cut' })
  assert.equal((await route.send(envelope, content)).state, 'sent')
  assert.deepEqual([server.mails.length, server.connections], [2, 2])
})

test('a server that takes only so many mails over one connection gets the next over another', async (t) => {
  const server = await startSmtpStandIn(t)
  const route = routeTo(t, server)
  const { envelope, content } = await mailTo(['ann@example.com'])
  assert.equal((await route.send(envelope, content)).state, 'sent')
  server.faults.push({ stage: 'mail', answer: '421 4.7.0 too many messages in this session' })
  assert.equal((await route.send(envelope, content)).state, 'sent')
  assert.deepEqual([server.mails.length, server.connections], [2, 2])
  server.faults.push({ stage: 'mail', answer: '421 4.3.2 closing' }, { stage: 'mail', answer: '421 4.3.2 closing' })
  assert.deepEqual([(await route.send(envelope, content)).state, server.mails.length], ['deferred', 2])
})

test('connections are shared by mails, no more than allowed, and changed after so many mails', async (t) => {
  const server = await startSmtpStandIn(t)
  const route = routeTo(t, server, { connections: 2, mailsPerConnection: 5 })
  const { envelope, content } = await mailTo(['ann@example.com'])
  const all = await Promise.all(Array.from({ length: 20 }, () => route.send(envelope, content)))
  assert.ok(all.every(({ state }) => state === 'sent'))
  assert.deepEqual([server.mails.length, server.connections], [20, 4])
})

test('a mail larger than the server takes is refused before it is sent', async (t) => {
  const server = await startSmtpStandIn(t)
  const { envelope, content } = await mailTo(['ann@example.com'])
  const delivery = await routeTo(t, server).send({ ...envelope, sizeBytes: 20_000_001 }, content)
  assert.deepEqual([delivery.state, delivery.error?.code], ['refused', 'mail_too_large'])
})

test('whatever forbids the mail once the server is ready keeps it from being told of it', async (t) => {
  const server = await startSmtpStandIn(t)
  const { envelope, content } = await mailTo(['ann@example.com'])
  const route = routeTo(t, server)
  await assert.rejects(
    route.send(envelope, content, {
      onReady: async () => {
        throw new Error('not mine')
      },
    }),
    /not mine/,
  )
  assert.deepEqual(server.mails, [])
})

test('content that cannot be read to its end is never ended as if it were whole', async (t) => {
  const server = await startSmtpStandIn(t)
  const { envelope } = await mailTo(['ann@example.com'])
  const broken = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('Subject: half\r\n\r\nhalf\r\n')
    throw new Error('the disk is gone')
  }
  await assert.rejects(routeTo(t, server).send(envelope, broken), /the disk is gone/)
  assert.deepEqual(server.mails, [])
})

test('a stop in the middle of the dialogue says what became of the mail', async (t) => {
  const server = await startSmtpStandIn(t)
  const { envelope, content } = await mailTo(['ann@example.com'])
  const before = new AbortController()
  const delivery = await routeTo(t, server).send(envelope, content, { signal: before.signal, onReady: async () => before.abort() })
  assert.deepEqual([delivery.state, server.mails.length], ['deferred', 0])
  const after = new AbortController()
  server.onDot = () => after.abort()
  const second = await routeTo(t, server).send(envelope, content, { signal: after.signal })
  assert.deepEqual([second.state, server.mails.length], ['sent', 1])
})

test('no stretch of a second carries more mails than allowed', async (t) => {
  const server = await startSmtpStandIn(t)
  const arrivals: number[] = []
  server.onDot = () => void arrivals.push(performance.now())
  const route = routeTo(t, server, { perSecond: 4 })
  const { envelope, content } = await mailTo(['ann@example.com'])
  await Promise.all(Array.from({ length: 9 }, () => route.send(envelope, content)))
  const [first = 0, fifth = 0, ninth = 0] = [arrivals[0], arrivals[4], arrivals[8]]
  assert.ok(fifth - first > 900 && ninth - fifth > 900, `at ${arrivals.map((at) => Math.round(at - first)).join(', ')} ms`)
})
