/** An SMTP server in a process of its own that takes every mail: node smtp-sink.ts; prints its port, and how many mails it has when it is sent a line. */
import { createInterface } from 'node:readline'
import { SMTPServer } from 'smtp-server'

let mails = 0
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  onData(stream, _session, done) {
    stream.resume()
    stream.on('end', () => {
      mails += 1
      done()
    })
  },
})
server.listen(0, '127.0.0.1', () => {
  const address = server.server.address()
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`)
})
createInterface({ input: process.stdin })
  .on('line', () => process.stdout.write(`${mails}\n`))
  .on('close', () => process.exit(0))
