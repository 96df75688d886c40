/** A process that dies by kill -9 when its mails are stored and not yet committed: node alert-victim.ts <url>. */
import { tellByMail } from '../../../src/control-plane/alerts/tell-by-mail.ts'
import { openPool } from '../../../src/db/open.ts'

const [url = ''] = process.argv.slice(2)
const pool = openPool(url, { role: 'rota_worker', applicationName: 'victim', max: 1 })
process.stdout.write(`${JSON.stringify({ begun: true })}\n`)
pool.on('connect', (client) => {
  const query = client.query.bind(client)
  Object.assign(client, {
    // biome-ignore lint/suspicious/noExplicitAny: whatever the pool is asked
    query: (...args: any[]) => {
      if (args[0] === 'commit') process.kill(process.pid, 'SIGKILL')
      return Reflect.apply(query, client, args)
    },
  })
})
const none = (): never => {
  throw new Error('no connection is named')
}
await tellByMail({ pool, connections: { get: none, jobDatabaseUrl: none, queryDatabaseUrl: none }, at: new Date('2035-03-02 05:22Z') })
