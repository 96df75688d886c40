import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Decision, decide } from '../../src/control-plane/decide.ts'
import type { DueRun } from '../../src/control-plane/decision-facts.ts'
import { fire, held, late, nobody, openRun, outage, secondsAfter, someone, terms } from './facts-to-decide.ts'

test('a fire that nothing stands against is queued and says nothing', () => {
  assert.deepEqual(decide(fire(), nobody()), { kind: 'queue', reason: null })
})

test('a fire whose schedule was deleted meanwhile is skipped', () => {
  assert.deepEqual(decide(fire({ schedule: null }), nobody()), { kind: 'end', state: 'skipped', reason: 'the schedule was deleted' })
})

test('a fire in a pause of its schedule is skipped with the words of the pause', () => {
  const reason = 'schedule is paused by anna until somebody resumes it: storage move'
  assert.deepEqual(decide(fire({ schedulePause: reason }), nobody()), { kind: 'end', state: 'skipped', reason })
})

test('a fire whose config is switched off is skipped', () => {
  assert.deepEqual(decide(fire({ config: { name: 'prices', isActive: false } }), nobody()), {
    kind: 'end',
    state: 'skipped',
    reason: 'config "prices" is switched off (is_active is false)',
  })
})

test('what a person asked for runs on a paused schedule and with a config that is switched off', () => {
  const asked = fire({ isRequested: true, schedulePause: 'schedule is paused', config: { name: 'prices', isActive: false } })
  assert.deepEqual(decide(asked, nobody()), { kind: 'queue', reason: null })
})

test('whatever was due before this database became the live one is missed, requests included', () => {
  const missed = { kind: 'end', state: 'missed', reason: 'this database became the live one after that fire' }
  assert.deepEqual(decide(fire({ isBeforeHome: true }), nobody()), missed)
  assert.deepEqual(decide(fire({ isBeforeHome: true, isRequested: true, trigger: 'request' }), nobody()), missed)
})

test('a run for ever begins also where the database is a copy that was made live', () => {
  assert.equal(decide(fire({ isBeforeHome: true, trigger: 'always' }), nobody()).kind, 'queue')
})

test('a fire that was missed in an outage is caught up and says why it is late', () => {
  assert.deepEqual(decide(late(), nobody()), { kind: 'queue', trigger: 'catch_up', reason: `caught up: ${outage}` })
})

test('a fire taken up within 15 seconds is on time, whatever catch_up says', () => {
  assert.deepEqual(decide(fire({ lateSeconds: 14, laterDue: 3, schedule: terms({ catchUp: 'skip' }) }), nobody()), {
    kind: 'queue',
    reason: null,
  })
})

test('with catch_up skip a missed fire stays missed', () => {
  assert.deepEqual(decide(late({ schedule: terms({ catchUp: 'skip' }) }), nobody()), missed('not caught up (catch_up is skip)'))
})

test('a fire later than max_late is not caught up', () => {
  assert.deepEqual(decide(late({ schedule: terms({ maxLateSeconds: 599 }) }), nobody()), missed('too late to be caught up (max_late)'))
})

test('with catch_up last only the last missed fire runs', () => {
  assert.deepEqual(decide(late({ laterDue: 1 }), nobody()), missed('a later fire is caught up in its place (catch_up is last)'))
})

test('with catch_up all as many missed fires run as max_catch_up allows', () => {
  const schedule = terms({ catchUp: 'all', maxCatchUp: 2, overlap: 'allow' })
  assert.equal(decide(late({ schedule, laterDue: 1 }), nobody()).kind, 'queue')
  assert.deepEqual(decide(late({ schedule, laterDue: 2 }), nobody()), missed('more fires than max_catch_up were missed'))
})

test('with max_catch_up 0 nothing is caught up', () => {
  assert.deepEqual(decide(late({ schedule: terms({ maxCatchUp: 0 }) }), nobody()), missed('more fires than max_catch_up were missed'))
})

test('a request is never too late', () => {
  assert.deepEqual(decide(late({ isRequested: true, trigger: 'request', schedule: terms({ catchUp: 'skip' }) }), nobody()), {
    kind: 'queue',
    reason: null,
  })
})

test('caught-up fires run one after another, whatever overlap says of fires on time', () => {
  const open = nobody()
  const schedule = terms({ catchUp: 'all', overlap: 'skip' })
  assert.equal(decide(late({ runId: 'first', schedule, laterDue: 1 }), open).kind, 'queue')
  assert.deepEqual(decide(late({ runId: 'second', schedule }), open), {
    kind: 'wait',
    waitsFor: 'run',
    trigger: 'catch_up',
    reason: `caught up: ${outage}; run first is still queued`,
  })
})

for (const overlap of ['skip', 'cancel'] as const) {
  test(`with catch_up all and overlap ${overlap}, fires that come due together run one after another, however little late`, () => {
    const open = nobody()
    const schedule = terms({ catchUp: 'all', overlap })
    assert.equal(decide(fire({ runId: 'first', schedule, dueAt: secondsAfter(-2), lateSeconds: 2 }), open).kind, 'queue')
    const waits = { kind: 'wait', waitsFor: 'run', reason: 'run first is still queued' }
    assert.deepEqual(decide(fire({ runId: 'second', schedule, dueAt: secondsAfter(-1), lateSeconds: 1 }), open), waits)
    assert.deepEqual(decide(fire({ runId: 'third', schedule, dueAt: secondsAfter(-0.1), lateSeconds: 0.1 }), open), waits)
  })
}

test('with catch_up all, fires that come due together also wait together for a resource', () => {
  const open = nobody()
  open.ofResource.set('erp', openRun('holder', 'running', null))
  const schedule = terms({ catchUp: 'all', resource: 'erp' })
  const waits = { kind: 'wait', waitsFor: 'resource', reason: 'resource "erp" is in use by run holder of "one"' }
  assert.deepEqual(decide(fire({ runId: 'first', schedule, dueAt: secondsAfter(-2), lateSeconds: 2 }), open), waits)
  assert.deepEqual(decide(fire({ runId: 'second', schedule, dueAt: secondsAfter(-1), lateSeconds: 1 }), open), waits)
})

test('with catch_up all, a fire that comes due while the run before it goes on is skipped as overlap', () => {
  const open = someone('running')
  assert.deepEqual(decide(fire({ schedule: terms({ catchUp: 'all' }) }), open), skipped('overlap: run before is still running'))
})

test('a caught-up fire that had to wait still says why it was late when it starts', () => {
  const waited = fire({ state: 'waiting', waitsFor: 'run', trigger: 'catch_up', reason: `caught up: ${outage}; run first is still queued` })
  assert.deepEqual(decide(waited, nobody()), { kind: 'queue', trigger: 'catch_up', reason: `caught up: ${outage}` })
})

test('overlap skip: a fire is skipped while the run before it goes on, and names it', () => {
  assert.deepEqual(decide(fire(), someone('running')), skipped('overlap: run before is still running'))
})

test('overlap skip: a run between two attempts is open too', () => {
  assert.deepEqual(decide(fire(), someone('waiting')), skipped('overlap: run before is still waiting for its next attempt'))
})

test('overlap skip: a run that has not begun because its resource is in use is open too', () => {
  assert.deepEqual(decide(fire(), held('before')), skipped('overlap: run before is still waiting for its resource'))
})

test('overlap skip: of two fires that are due at once one runs', () => {
  const open = nobody()
  assert.equal(decide(fire({ runId: 'first' }), open).kind, 'queue')
  assert.deepEqual(decide(fire({ runId: 'second' }), open), skipped('overlap: run first is still queued'))
})

test('overlap allow: a fire starts beside the run before it', () => {
  assert.equal(decide(fire({ schedule: terms({ overlap: 'allow' }) }), someone('running')).kind, 'queue')
})

test('overlap queue: a fire waits for the run before it', () => {
  assert.deepEqual(decide(fire({ schedule: terms({ overlap: 'queue' }) }), someone('running')), {
    kind: 'wait',
    waitsFor: 'run',
    reason: 'overlap: run before is still running',
  })
})

test('overlap queue: no more fires wait than max_catch_up', () => {
  const open = someone('running')
  const schedule = terms({ overlap: 'queue', maxCatchUp: 1 })
  assert.equal(decide(fire({ runId: 'first', schedule }), open).kind, 'wait')
  assert.deepEqual(
    decide(fire({ runId: 'second', schedule }), open),
    skipped('overlap: run before is still running, and 1 runs wait already (max_catch_up)'),
  )
})

test('overlap cancel: a fire stops the run before it and the fires that waited for that', () => {
  const open = someone('running')
  const schedule = terms({ overlap: 'cancel' })
  assert.deepEqual(cancelledBy(decide(fire({ runId: 'second', schedule }), open)), ['before'])
  assert.deepEqual(cancelledBy(decide(fire({ runId: 'third', schedule }), open)), ['before', 'second'])
})

test('overlap cancel: a request that waits is not cancelled', () => {
  const open = held('asked', true)
  assert.deepEqual(cancelledBy(decide(fire({ schedule: terms({ overlap: 'cancel' }) }), open)), [])
})

for (const trigger of ['file', 'notify', 'after'] as const) {
  test(`overlap skip: a run by ${trigger} waits instead, since nothing fires it again`, () => {
    assert.deepEqual(decide(fire({ trigger }), someone('running')), {
      kind: 'wait',
      waitsFor: 'run',
      reason: 'run before is still running',
    })
  })
}

test('a request waits for an open run', () => {
  assert.deepEqual(decide(fire({ trigger: 'request', isRequested: true }), someone('running')), {
    kind: 'wait',
    waitsFor: 'run',
    reason: 'run before is still running',
  })
})

test('a run that waited starts when nothing is open any more', () => {
  assert.deepEqual(decide(fire({ state: 'waiting', waitsFor: 'run', lateSeconds: 900 }), nobody()), { kind: 'queue', reason: null })
})

test('two schedules on one resource never run together', () => {
  const open = nobody()
  const schedule = terms({ resource: 'erp' })
  assert.equal(decide(fire({ runId: 'first', schedule }), open).kind, 'queue')
  assert.deepEqual(decide(fire({ runId: 'second', scheduleId: 2, schedule }), open), {
    kind: 'wait',
    waitsFor: 'resource',
    reason: 'resource "erp" is in use by run first of "one"',
  })
})

test('no more runs of a job are open than dba.job.max_running', () => {
  const open = nobody()
  assert.equal(decide(fire({ runId: 'first', jobLimit: 1 }), open).kind, 'queue')
  assert.deepEqual(decide(fire({ runId: 'second', scheduleId: 2, jobLimit: 1 }), open), {
    kind: 'wait',
    waitsFor: 'job',
    reason: 'a run of job "noop" is open, and dba.job.max_running is 1',
  })
})

test('a run whose data is not there waits, and the next fire of its schedule overlaps with it', () => {
  const open = nobody()
  const dataHold = 'no data "prices" since midnight; held until 07:30'
  assert.deepEqual(decide(fire({ runId: 'first', dataHold }), open), { kind: 'wait', waitsFor: 'data', reason: dataHold })
  assert.deepEqual(decide(fire({ runId: 'second', dataHold }), open), {
    kind: 'end',
    state: 'skipped',
    reason: 'overlap: run first is still waiting for its data',
  })
  assert.equal(decide(fire({ state: 'waiting', waitsFor: 'data', lateSeconds: 900 }), nobody()).kind, 'queue')
})

test('a paused lane holds everything, requests and retries included', () => {
  const lanePause = 'lane "default" is paused by anna until somebody resumes it: storage move'
  const hold = { kind: 'wait', waitsFor: 'lane', reason: lanePause }
  assert.deepEqual(decide(fire({ lanePause }), nobody()), hold)
  assert.deepEqual(decide(late({ lanePause, schedule: terms({ catchUp: 'skip' }) }), nobody()), hold)
  assert.deepEqual(decide(fire({ lanePause, trigger: 'request', isRequested: true }), nobody()), hold)
  assert.deepEqual(decide(fire({ lanePause, state: 'waiting', waitsFor: 'retry', attempt: 1 }), nobody()), hold)
})

test('catch_up applies to what a lane held, once the lane goes on', () => {
  const holding = (overrides: Partial<DueRun>) => late({ state: 'waiting', waitsFor: 'lane', outage: null, ...overrides })
  assert.deepEqual(decide(holding({}), nobody()), { kind: 'queue', trigger: 'catch_up', reason: 'caught up: its lane was paused' })
  assert.deepEqual(decide(holding({ laterDue: 1 }), nobody()), {
    kind: 'end',
    state: 'missed',
    reason: 'its lane was paused; a later fire is caught up in its place (catch_up is last)',
  })
})

test('a retry keeps its place: overlap, resource and limits were taken with the first attempt', () => {
  const retry = fire({ state: 'waiting', waitsFor: 'retry', attempt: 1, jobLimit: 0, schedulePause: 'paused', lateSeconds: 900 })
  assert.deepEqual(decide(retry, someone('waiting')), { kind: 'queue', reason: null })
})

function skipped(reason: string): Decision {
  return { kind: 'end', state: 'skipped', reason }
}

function missed(rule: string): Decision {
  return { kind: 'end', state: 'missed', reason: `${outage}; ${rule}` }
}

function cancelledBy(decision: Decision): string[] {
  return decision.kind === 'wait' ? (decision.cancels ?? []).map((run) => run.runId) : []
}
