// jobs/noop.ts: changes nothing, so a second run changes nothing either. For trying out a schedule, for tests and benches.
import { setTimeout as pause } from 'node:timers/promises'
import { defineJob } from '../src/job/define-job.ts'
import { JobError, PermanentError } from '../systemscripts/errors.ts'

export default defineJob({
  name: 'noop',
  config: readArgs,
  async run({ config, signal, log, progress, run }) {
    log(config.note ?? 'Doing nothing', { seconds: config.seconds, attempt: run.attempt })
    await wait(config.seconds, signal, progress)
    if (config.failure !== null) {
      const Kind = config.isPermanent ? PermanentError : JobError
      throw new Kind('noop_failed', config.failure, {
        hint: 'It was asked to fail: take fail out of the args of the schedule or the request.',
      })
    }
    return { note: config.note ?? `Did nothing for ${config.seconds} s`, result: { seconds: config.seconds } }
  },
})

interface NoopArgs {
  seconds: number
  /** Null: it succeeds. */
  failure: string | null
  isPermanent: boolean
  note: string | null
}

function readArgs({
  seconds = 0,
  fail = false,
  fail_permanently: failPermanently = false,
  note = null,
}: Record<string, unknown>): NoopArgs {
  if (typeof seconds !== 'number' || !(seconds >= 0)) {
    throw new PermanentError('args_invalid', 'args.seconds of job "noop" is no number from 0', {
      hint: 'Write for example {"seconds": 5}.',
    })
  }
  const wishes = [fail, failPermanently]
  const text = wishes.find((wish) => typeof wish === 'string' && wish !== '')
  return {
    seconds,
    failure: typeof text === 'string' ? text : wishes.includes(true) ? 'It was asked to fail' : null,
    isPermanent: failPermanently === true || (typeof failPermanently === 'string' && failPermanently !== ''),
    note: typeof note === 'string' ? note : null,
  }
}

/** One step of a second at most, so that a person sees it move. */
async function wait(seconds: number, signal: AbortSignal, progress: (fraction: number | null) => void): Promise<void> {
  const end = performance.now() + seconds * 1000
  for (let left = end - performance.now(); left > 0; left = end - performance.now()) {
    await pause(Math.min(left, 1000), undefined, { signal }).catch(() => signal.throwIfAborted())
    progress(Math.min(1, 1 - (end - performance.now()) / (seconds * 1000)))
  }
  signal.throwIfAborted()
}
