import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freshDatabase } from '../helpers/database.ts'
import { startWorkerProcess } from '../helpers/worker-process.ts'
import { eventually } from '../helpers/rows.ts'

async function site(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a range of ids becomes rows of a table, and pages that say so are left out', async (t) => {
  const db = await freshDatabase(t)
  const origin = await site(t, (request, response) => {
    const id = Number(/(\d+)/.exec(request.url ?? '')?.[1])
    if (request.url === '/robots.txt') return response.writeHead(404).end()
    if (id % 5 === 0) return response.writeHead(404).end('none')
    response.setHeader('content-type', 'text/html')
    if (id % 3 === 0) return response.end('<title>no</title><div class="alert">Invalid Event ID</div>')
    response.end(`<title>Event ${id}</title><table><tr><td>A${id}</td><td>0${id}</td></tr><tr><td>B</td><td>2</td></tr></table>`)
  })
  await db.pool.query(`update dba.scrapehost set min_gap = '0', parallel = 8 where host = '*'`)
  await db.pool.query(
    `insert into dba.scrapeconfig (config_name, start_url, ids_from, ids_spec, row_selector, target_table, skip_states, allow_private_hosts)
     values ('events', $1, 'range', '1..60', 'tr', 'feeds.event', '{Invalid}', true)`,
    [`${origin}/event_{id}`],
  )
  await db.pool.query(`insert into dba.scrapefield (config_name, column_name, selector) values ('events', 'name', 'td:nth-child(1)'), ('events', 'code', 'td:nth-child(2)')`)
  await db.pool.query(`insert into dba.scrapefield (config_name, column_name) values ('events', 'id')`)
  await db.pool.query(`insert into dba.scrapefield (config_name, column_name, selector, state_word) values ('events', 'invalid', '.alert', 'Invalid')`)
  await db.pool.query(`insert into dba.scheduler (schedule_name, job, config_name) values ('events', 'scrape', 'events')`)
  await db.pool.query(`insert into dba.run (schedule_name) values ('events')`)
  const dataDir = await mkdtemp(join(tmpdir(), 'scrape-'))
  const worker = await startWorkerProcess({ url: db.url, dataDir })
  t.after(() => worker.process.kill('SIGKILL'))
  const run = await eventually(async () => {
    const { rows } = await db.pool.query(`select state, note, error_message, error_detail, rows_written from dba.run where schedule_name = 'events'`)
    return rows[0]?.state === 'succeeded' || rows[0]?.state === 'failed' || rows[0]?.error_message ? rows[0] : null
  })
  console.log(run)
  assert.equal(run.state, 'succeeded')
})
