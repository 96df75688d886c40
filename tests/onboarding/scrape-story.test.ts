import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findEvent } from '../../onboarding/demo/site/events.ts'
import { serveEventSite } from '../../onboarding/demo/site/serve.ts'
import { freshDatabase } from '../helpers/database.ts'
import { eventually, workerOn } from '../helpers/engine.ts'

test('the story of the scraped site goes as it is told', async (t) => {
  const site = await serveEventSite(0)
  t.after(() => site.close())
  const story = readFileSync(new URL('../../onboarding/sql/scrape.sql', import.meta.url), 'utf8')
  const [settings = '', looks = ''] = story.replaceAll('127.0.0.1:4187', new URL(site.origin).host).split('-- What was found: the rows;')
  const database = await freshDatabase(t)
  const { query } = database
  const { client } = await database.as('rota_dba')
  await workerOn(t, database)

  await client.query(settings)
  const ended = () => query(`select state from dba.run where schedule_name = 'load event lists' and state in ('succeeded', 'failed')`)
  assert.deepEqual(await eventually(ended), [{ state: 'succeeded' }])
  assert.deepEqual(
    await query('select id, event, companies::integer, state from feeds.event where id in (120001, 120005) order by id, companies'),
    [
      { id: 120_001, event: findEvent(120_001)?.title, companies: findEvent(120_001)?.companies.length, state: 'Listed' },
      { id: 120_005, event: findEvent(120_005)?.title, companies: 0, state: 'Private' },
      { id: 120_005, event: findEvent(120_005)?.title, companies: findEvent(120_005)?.companies.length, state: 'Listed' },
    ],
  )
  const [traced] = await query(`select page, label, dataset_date = current_date as is_of_today from dba.trace where label = $1`, [
    findEvent(120_001)?.title,
  ])
  assert.deepEqual(traced, {
    page: `${site.origin}/sched/event_120001/__co-list_cp.html`,
    label: findEvent(120_001)?.title,
    is_of_today: true,
  })

  await client.query(`--${looks}`)
  const [replay] = await eventually(() => query(`select note from dba.run where args ? 'replay' and state = 'succeeded'`))
  assert.match(String(replay?.note), /kept pages read again/)
})
