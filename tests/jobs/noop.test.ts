import assert from 'node:assert/strict'
import { test } from 'node:test'
import noop from '../../jobs/noop.ts'
import { JobError, PermanentError } from '../../systemscripts/errors.ts'
import { runJob } from '../helpers/run-job.ts'

test('noop succeeds without args and says so', async () => {
  const outcome = await runJob(noop, {})
  assert.equal(outcome.note, 'Did nothing for 0 s')
})

test('noop fails with the message it is given, and may be tried again', async () => {
  await assert.rejects(runJob(noop, { fail: 'the disk is full' }), (error) => {
    assert.ok(error instanceof JobError && !(error instanceof PermanentError))
    assert.equal(error.code, 'noop_failed')
    assert.equal(error.message, 'the disk is full')
    return true
  })
})

test('noop fails for good when fail_permanently says so, with the message of fail', async () => {
  await assert.rejects(runJob(noop, { fail: 'wrong sheet', fail_permanently: true }), (error) => {
    assert.ok(error instanceof PermanentError)
    assert.equal(error.message, 'wrong sheet')
    return true
  })
})

test('noop does not fail when fail is false', async () => {
  await runJob(noop, { fail: false, fail_permanently: false })
})

test('a sleeping noop ends at once with the reason of the abort', async () => {
  const asked = new AbortController()
  const sleeping = runJob(noop, { seconds: 1000 }, { signal: asked.signal })
  asked.abort(new JobError('cancelled', 'cancelled by a person'))
  await assert.rejects(sleeping, { code: 'cancelled' })
})

test('noop refuses seconds that are no number', () => {
  assert.throws(() => noop.prepare({ seconds: '5' }), { code: 'args_invalid' })
  assert.throws(() => noop.prepare({ seconds: -1 }), { code: 'args_invalid' })
})
