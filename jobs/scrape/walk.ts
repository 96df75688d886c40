import type { Scan, Visit } from '../../src/job/scans.ts'
import type { Visited } from './visit-page.ts'

export interface Walk {
  scan: Pick<Scan, 'next' | 'record'>
  /** Pages under way at a time; how many a host bears is the budget's business. */
  parallel: number
  /** No more pages than that. Null: no limit. */
  most: number | null
  /** More pages to ask for, put into the scan; false when there are none. Called when all that the scan knows are visited. */
  refill(): Promise<boolean>
  /** Throws only what ends the run. */
  visitPage(visit: Visit): Promise<Visited>
  signal: AbortSignal
  /** Told after each group of pages that was written down. */
  onRecorded(ends: Visited[]): void
}

/** What came of pages is written down this often; a crash costs so much at most. */
const recordEveryMs = 500
const recordAtMost = 200
/** So many pages are read from the line at once. */
const lineLength = 400
/** So many pages that cannot be read now, and none that can between them, say that the site is down. */
const failuresInARow = 50

/**
 * Visits all pages that wait, and those that they lead to, until there are no more. What was recorded is not visited again by a later attempt.
 * @returns whether it was given up, since one page after the other failed
 */
export async function walk({ scan, parallel, most, refill, visitPage, signal, onRecorded }: Walk): Promise<{ isGivenUp: boolean }> {
  const line: Visit[] = []
  const underWay = new Set<Promise<void>>()
  let ended: Visited[] = []
  let recording: Promise<void> | null = null
  let last = 0
  let started = 0
  let recordedAt = Date.now()
  let failures = 0
  let broken: unknown

  for (;;) {
    signal.throwIfAborted()
    const isGivenUp = failures >= failuresInARow
    if (broken !== undefined || isGivenUp) break
    if (recording === null && isDue()) record()
    const isEnough = most !== null && started >= most
    const mayStart = underWay.size < parallel && !isEnough
    if (mayStart && line.length === 0) await readLine()
    const visit = mayStart ? line.shift() : undefined
    if (visit !== undefined) start(visit)
    else if (underWay.size > 0) await change()
    else if (recording !== null) await recording
    else if (ended.length > 0) record()
    else if (isEnough || !(await refill())) break
  }
  await Promise.all(underWay)
  await recording
  signal.throwIfAborted()
  record()
  await recording
  if (broken !== undefined) throw broken
  return { isGivenUp: failures >= failuresInARow }

  function start(visit: Visit): void {
    started += 1
    const counted: Promise<void> = visitPage(visit).then(
      (end) => {
        underWay.delete(counted)
        ended.push(end)
        if (end.error === null) failures = 0
        else if (end.error.mayPass) failures += 1
      },
      (error: unknown) => {
        underWay.delete(counted)
        broken ??= error
      },
    )
    underWay.add(counted)
  }

  async function readLine(): Promise<void> {
    line.push(...(await scan.next(last, lineLength)))
    last = line.at(-1)?.position ?? last
  }

  /** An import may be waiting for the files. */
  function isDue(): boolean {
    if (ended.length === 0) return false
    return ended.length >= recordAtMost || Date.now() - recordedAt > recordEveryMs || ended.some(({ files }) => files.length > 0)
  }

  /** Beside the visits that go on. */
  function record(): void {
    const ends = ended
    ended = []
    recordedAt = Date.now()
    recording = scan.record(ends).then(
      () => {
        recording = null
        onRecorded(ends)
      },
      (error: unknown) => {
        recording = null
        broken ??= error
      },
    )
  }

  /** A visit has ended, something was recorded, or it is time to do so. */
  async function change(): Promise<void> {
    const { promise: isTime, resolve } = Promise.withResolvers<void>()
    const timer = ended.length > 0 && recording === null ? setTimeout(resolve, recordEveryMs) : undefined
    await Promise.race([...underWay, isTime, ...(recording === null ? [] : [recording])])
    clearTimeout(timer)
  }
}
