import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ending } from '../helpers/after-everything.ts'
import { eventually, workerOn } from '../helpers/engine.ts'
import { addRun, one, peopleOf } from '../helpers/rows.ts'
import { inReplica } from '../helpers/why-house.ts'

/** A schedule "prices" that is due by nine and twelve in Warsaw on weekdays, as if it were from January 2015. */
async function dueHouse(t: Ending) {
  const people = await peopleOf(t)
  await people.dba(
    `insert into dba.scheduler (schedule_name, job, time_zone, calendar, due_by) values ('prices', 'noop', 'Europe/Warsaw', 'weekdays', '{09:00,12:00}')`,
  )
  await people.database.query(inReplica(`update dba.scheduler set created_at = '2015-01-01', updated_at = '2015-01-01'`))
  return {
    ...people,
    watch: (at: string) => one(people.worker, `select dba.watch($1) as value`, [at]),
    alerts: () => people.reader(`select kind, subject, state, count, message, opened_at, closed_at from dba.alert order by alert_id`),
  }
}

// Monday 2 March 2015; Warsaw is an hour ahead of UTC.
test('what has not come by its hour is one incident, which recovers when it comes', async (t) => {
  const { worker, watch, alerts, reader } = await dueHouse(t)
  assert.equal(Number(await watch('2015-03-02 07:59Z')), 0)
  assert.equal(Number(await watch('2015-03-02 08:00:10Z')), 1)
  assert.equal(Number(await watch('2015-03-02 08:00:40Z')), 0, 'the same hour is counted once')
  const incident = {
    kind: 'late',
    subject: 'prices',
    state: 'open',
    count: 1,
    message: 'nothing came by Mon 2015-03-02 09:00 Europe/Warsaw; it is due by 09:00, 12:00',
    opened_at: new Date('2015-03-02 08:00Z'),
    closed_at: null,
  }
  assert.deepEqual(await alerts(), [incident])
  assert.deepEqual(await reader(`select severity, message from dba.problem where subject = 'prices' and severity = 'severe'`), [
    { severity: 'severe', message: incident.message },
  ])
  assert.equal(Number(await watch('2015-03-02 11:00:05Z')), 1, 'the next hour is another one missed')
  assert.deepEqual(
    (await alerts()).map(({ state, count }) => ({ state, count })),
    [{ state: 'open', count: 2 }],
  )
  await addRun(worker, 'prices', '2015-03-02 11:30Z', 'succeeded', { more: { files: 1 } })
  await watch('2015-03-02 11:31Z')
  assert.deepEqual(
    (await alerts()).map(({ state, closed_at }) => ({ state, closed_at })),
    [{ state: 'recovered', closed_at: new Date('2015-03-02 11:31Z') }],
  )
  assert.equal(Number(await watch('2015-03-03 08:01Z')), 1)
  assert.equal((await alerts()).length, 2, 'another day is another incident')
})

test('nothing is late on a free day, in a pause, before the schedule was written, or in a restored copy', async (t) => {
  const { database, dba, operator, watch, alerts } = await dueHouse(t)
  await watch('2015-03-01 10:00Z')
  await database.query(inReplica(`update dba.scheduler set updated_at = '2015-03-02 08:30Z'`))
  await watch('2015-03-02 09:00Z')
  assert.deepEqual(await alerts(), [], 'the ninth hour struck before the row was written')
  await database.query(inReplica(`update dba.scheduler set updated_at = '2015-01-01', paused_until = 'infinity'`))
  await watch('2015-03-02 09:00Z')
  await database.query(inReplica(`update dba.scheduler set paused_until = null`))
  await database.query(inReplica(`update dba.setting set value = 'another cluster' where name = 'home'`))
  await watch('2015-03-02 09:00Z')
  assert.deepEqual(await alerts(), [])
  await database.query(inReplica(`update dba.setting set value = dba.this_home() where name = 'home'`))
  await watch('2015-03-02 09:00Z')
  assert.equal((await alerts()).length, 1)
  await operator(`update dba.alert set state = 'acknowledged'`)
  await dba(`update dba.scheduler set is_active = false`)
  await watch('2015-03-02 09:01Z')
  assert.deepEqual(
    (await alerts()).map(({ state }) => state),
    ['recovered'],
    'nothing is expected of it any more',
  )
})

test('an incident that somebody holds open holds nobody up', async (t) => {
  const { database, watch, alerts } = await dueHouse(t)
  await watch('2015-03-02 08:01Z')
  const holder = await database.as('rota_operator')
  await holder.query('begin')
  await holder.query(`update dba.alert set state = 'acknowledged'`)
  assert.equal(Number(await watch('2015-03-02 11:01Z')), 0)
  await holder.query('commit')
  assert.equal(Number(await watch('2015-03-02 11:02Z')), 1)
  assert.deepEqual(
    (await alerts()).map(({ state, count }) => ({ state, count })),
    [{ state: 'acknowledged', count: 2 }],
  )
})

test('a worker looks after due_by by itself', async (t) => {
  const { database, dba, reader } = await dueHouse(t)
  await dba(`update dba.scheduler set due_by = '{00:00}', calendar = null, time_zone = 'UTC'`)
  await database.query(inReplica(`update dba.scheduler set updated_at = '2015-01-01'`))
  await workerOn(t, database)
  assert.deepEqual(await eventually(() => reader(`select kind, subject, state from dba.alert`)), [
    { kind: 'late', subject: 'prices', state: 'open' },
  ])
})
