/** A process that is killed while it sends: node outbox-victim.ts <url> <dataDir> <runId> <attempt> <keys, with commas> <seam>. */
import { openPool } from '../../../src/db/open.ts'
import { newMail, outboxOf } from './outbox-bench.ts'

const [url = '', dataDir = '', runId = '', attempt = '1', keys = '', seam = '', connection = 'post'] = process.argv.slice(2)
const pool = openPool(url, { role: 'rota_worker', applicationName: 'victim', max: 4 })

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

let statements = 0
pool.on('connect', (client) => {
  const query = client.query.bind(client)
  Object.assign(client, {
    // biome-ignore lint/suspicious/noExplicitAny: whatever the pool is asked
    query: (...args: any[]) => {
      const [first] = args
      const text: string = typeof first === 'string' ? first : (first?.text ?? '')
      if (/dba[.]outbox|^commit/.test(text)) {
        statements += 1
        if (seam === `before ${statements}`) die()
      }
      // biome-ignore lint/suspicious/noExplicitAny: as above
      const answer: any = Reflect.apply(query, client, args)
      if (seam === `after ${statements}`) void Promise.resolve(answer).then(die, die)
      return answer
    },
  })
})

const { outbox, close } = await outboxOf({ pool, url, dataDir, runId, attempt: Number(attempt) })
const mails = await Promise.all(keys.split(',').map((key) => newMail(key, {}, { connectionName: connection === '' ? null : connection })))
await outbox.send(await outbox.store(mails))
await close()
await pool.end()
process.stdout.write(`${statements}\n`)
