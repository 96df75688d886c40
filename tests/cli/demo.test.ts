import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ownerHeader } from '../../onboarding/demo/site/serve.ts'
import { startDemo } from '../../src/cli/demo.ts'
import { freshDatabase, type TestDatabase } from '../helpers/database.ts'

test('the demo’s site stands where its rows say; of two processes on one database the first serves it', async (t) => {
  const database = await freshDatabase(t)
  const { site, said } = await demo(t, database)
  assert.ok(site)
  assert.ok(said.includes(`The demo’s web site is at ${site.origin}`))
  assert.deepEqual(await rowsOfSite(database), [`${site.origin}/sched/event_{id}/__co-list_cp.html`, new URL(site.origin).host])
  assert.notEqual((await fetch(site.origin)).headers.get(ownerHeader), '')

  assert.equal((await demo(t, database)).site, null)
  await site.close()
  await assert.rejects(fetch(site.origin))
  const again = await demo(t, database)
  assert.equal(again.site?.origin, site.origin)
})

test('two databases on one machine have a site each, and the rows follow to the free port', async (t) => {
  const databases = [await freshDatabase(t), await freshDatabase(t)]
  const sites = []
  for (const database of databases) {
    const { site } = await demo(t, database)
    assert.ok(site)
    assert.deepEqual(await rowsOfSite(database), [`${site.origin}/sched/event_{id}/__co-list_cp.html`, new URL(site.origin).host])
    sites.push(site.origin)
  }
  assert.notEqual(sites[0], sites[1])
})

test('where a person took the site’s row out, it is not served and does not come back', async (t) => {
  const database = await freshDatabase(t)
  const first = await demo(t, database)
  await first.site?.close()
  const dba = await database.as('rota_dba')
  for (const name of ['demo report', 'demo event files', 'demo events'])
    await dba.query('delete from dba.scheduler where schedule_name = $1', [name])
  await dba.query(`delete from dba.scrapeconfig where config_name = 'demo events'`)
  const { site, said } = await demo(t, database)
  assert.deepEqual([site, said], [null, []])
})

async function demo(t: TestContext, { url, dataDir }: TestDatabase) {
  const said: string[] = []
  const site = await startDemo({ url, dataDir, say: (line) => said.push(line) })
  t.after(async () => {
    await site?.close().catch(() => undefined)
  })
  return { site, said }
}

async function rowsOfSite({ query }: TestDatabase): Promise<unknown[]> {
  const [row] = await query(
    `select c.start_url, h.host from dba.scrapeconfig c, dba.scrapehost h where c.config_name = 'demo events' and h.host like '127.0.0.1:%'`,
  )
  return Object.values(row ?? {})
}
