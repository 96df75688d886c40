/** What must hold after a storm, each law as a query whose rows are its violations. */
import type { Client } from 'pg'
import type { Kill } from './fleet.ts'

/** Seconds within which a dead worker's runs must go on. */
const reapWithin = 30

/** Every violation in words; empty when all laws held. */
export async function findViolations(client: Client, kills: Kill[]): Promise<string[]> {
  const found: string[] = []
  for (const [law, text] of Object.entries(laws)) {
    const { rows } = await client.query<{ what: string }>(text)
    for (const row of rows.slice(0, 5)) found.push(`${law}: ${row.what}`)
    if (rows.length > 5) found.push(`${law}: ${rows.length - 5} more`)
  }
  const { rows: slow } = await client.query<{ what: string }>(
    `select format('%s, attempt %s of worker %s, after %s', a.run_id, a.attempt, a.worker, a.finished_at - k.at) as what
     from unnest($1::text[], $2::timestamptz[]) k (worker, at) join dba.attempt a on a.worker = k.worker
     where a.outcome = 'lost' and a.finished_at - k.at > make_interval(secs => $3)`,
    [kills.map((kill) => kill.worker), kills.map((kill) => kill.at), reapWithin],
  )
  for (const row of slow) found.push(`a dead worker's attempt is ended within ${reapWithin} s: ${row.what}`)
  return found
}

/** Every nominal second of every schedule, from its insert to the edit that ended it. */
const expected = `
  expected as (
    select s.schedule_id, s.schedule_name, f.at, dba.fire_key(f.at) as fire_key
    from dba.scheduler s, dba.cron_between(s.cron, s.time_zone, s.created_at, s.updated_at, s.dst_gap, s.dst_fold, 200000) f (at)
  ), missed as (
    select r.* from dba.run r where r.missed_count is not null
  )`

const laws: Record<string, string> = {
  'every nominal second has its row': `
    with ${expected}
    select format('"%s" at %s', e.schedule_name, e.fire_key) as what
    from expected e
    where not exists (select from dba.run r where r.schedule_id = e.schedule_id and r.fire_key = e.fire_key)
      and not exists (select from missed m where m.schedule_id = e.schedule_id and e.at between m.missed_from and m.missed_until)
    order by e.at`,
  'a second stands in one row only': `
    with ${expected}
    select format('"%s" at %s stands alone and in a row of missed ones', e.schedule_name, e.fire_key) as what
    from expected e
    where (select count(*) from dba.run r where r.schedule_id = e.schedule_id and r.fire_key = e.fire_key)
      + (select count(*) from missed m where m.schedule_id = e.schedule_id and e.at between m.missed_from and m.missed_until) > 1`,
  'nothing runs that was not due': `
    with ${expected}
    select format('"%s" at %s', r.schedule_name, r.fire_key) as what
    from dba.run r
    where r.missed_count is null and not exists (select from expected e where e.schedule_id = r.schedule_id and e.fire_key = r.fire_key)
      -- Until the edit that ended it was committed, a schedule fired by its former terms.
      and not exists (select from dba.scheduler s where s.schedule_id = r.schedule_id and r.scheduled_for between s.updated_at and s.updated_at + interval '2 seconds')`,
  'missed fires are counted right': `
    with ${expected}
    select format('"%s" from %s: %s instead of %s', m.schedule_name, m.missed_from, m.missed_count, count(e.at)) as what
    from missed m left join expected e on e.schedule_id = m.schedule_id and e.at between m.missed_from and m.missed_until
    group by m.schedule_name, m.missed_from, m.missed_count
    having m.missed_count <> count(e.at)`,
  'every run has ended': `select format('"%s" %s: %s', schedule_name, fire_key, state) as what from dba.run where state in ('planned', 'waiting', 'queued', 'running')`,
  'every attempt has ended': `select format('%s, attempt %s', run_id, attempt) as what from dba.attempt where finished_at is null or outcome is null`,
  'no run succeeds twice': `select format('%s: %s times', run_id, count(*)) as what from dba.attempt where outcome = 'succeeded' group by run_id having count(*) > 1`,
  'the run says how its last attempt ended': `
    select format('"%s" %s is %s, its attempt %s %s', r.schedule_name, r.fire_key, r.state, a.attempt, coalesce(a.outcome, 'is missing')) as what
    from dba.run r left join dba.attempt a on a.run_id = r.run_id and a.attempt = r.attempt
    where r.attempt > 0
      and case r.state when 'succeeded' then a.outcome is distinct from 'succeeded'
        when 'failed' then a.outcome is null or a.outcome not in ('failed', 'lost')
        when 'cancelled' then a.outcome is null or a.outcome = 'succeeded'
        else true end`,
  'attempts are counted without gaps': `
    select format('%s has attempts %s, and says %s', r.run_id, array_agg(a.attempt order by a.attempt), r.attempt) as what
    from dba.run r join dba.attempt a using (run_id)
    group by r.run_id having max(a.attempt) <> r.attempt or count(*) <> r.attempt`,
  'a lost attempt says worker_lost': `
    select format('%s, attempt %s: %s, %s', run_id, attempt, outcome, error_code) as what
    from dba.attempt where (outcome = 'lost') <> (coalesce(error_code, '') = 'worker_lost')`,
  'runs of a schedule do not overlap': `
    select format('"%s": %s began at %s, before %s ended', r.schedule_name, a.run_id, a.started_at, a.former_run) as what
    from (
      select a.*, r.schedule_id, max(a.finished_at) over earlier as former_end, max(a.run_id::text) over earlier as former_run
      from dba.attempt a join dba.run r using (run_id)
      window earlier as (partition by r.schedule_id order by a.started_at rows between unbounded preceding and 1 preceding)
    ) a join dba.run r using (run_id)
    where r.overlap <> 'allow' and a.started_at < a.former_end`,
  'runs of a resource do not overlap': `
    select format('"%s": %s began at %s', a.resource, a.run_id, a.started_at) as what
    from (
      select a.*, r.resource, max(a.finished_at) over (partition by r.resource order by a.started_at rows between unbounded preceding and 1 preceding) as former_end
      from dba.attempt a join dba.run r using (run_id) where r.resource is not null
    ) a where a.started_at < a.former_end`,
  'what catches up all misses nothing': `select format('"%s" %s: %s', schedule_name, fire_key, reason) as what from dba.run where schedule_name = 'catches up all' and state <> 'succeeded'`,
  'kills alone fail no run': `
    select format('"%s" %s failed with %s', schedule_name, fire_key, error_code) as what
    from dba.run where state = 'failed' and schedule_name not like 'fails%'`,
}
