import type { Scan, Visit, VisitEnd } from '../../src/job/scans.ts'

export interface Walk {
  scan: Scan
  /** Pages under way at a time; how many a host bears is the budget's business. */
  parallel: number
  /** No more pages than that. Null: no limit. */
  most: number | null
  /** More pages to ask for, put into the scan; false when there are none. Called when all that the scan knows are visited. */
  refill(): Promise<boolean>
  /** Never throws but for what ends the run. */
  visitPage(visit: Visit): Promise<VisitEnd>
  signal: AbortSignal
  /** Told after each group of pages that was written down. */
  onRecorded(ends: VisitEnd[]): void
}

/** What came of pages is written down this often; a crash costs so much at most. */
const recordEveryMs = 500
const recordAtMost = 200
/** So many pages are read from the line at once. */
const lineLength = 400

/** Visits all pages that wait, and those that they lead to, until there are no more. What was recorded is not visited again by a later attempt. */
export async function walk({ scan, parallel, most, refill, visitPage, signal, onRecorded }: Walk): Promise<void> {
  const line: Visit[] = []
  const ended: VisitEnd[] = []
  const underWay = new Set<Promise<void>>()
  let last = 0
  let started = 0
  let recordedAt = Date.now()
  let failure: unknown

  for (;;) {
    signal.throwIfAborted()
    if (failure !== undefined) break
    if (ended.length >= recordAtMost || (ended.length > 0 && Date.now() - recordedAt > recordEveryMs)) await record()
    const isEnough = most !== null && started >= most
    if (line.length === 0 && !isEnough) await readLine()
    const visit = underWay.size < parallel && !isEnough ? line.shift() : undefined
    if (visit !== undefined) start(visit)
    else if (underWay.size > 0) await Promise.race(underWay)
    else if (ended.length > 0) await record()
    else if (isEnough || !(await refill())) break
  }
  await Promise.allSettled(underWay)
  signal.throwIfAborted()
  await record()
  if (failure !== undefined) throw failure

  function start(visit: Visit): void {
    started += 1
    const visiting = visitPage(visit).then(
      (end) => {
        ended.push(end)
      },
      (error: unknown) => {
        failure ??= error
      },
    )
    const counted: Promise<void> = visiting.finally(() => underWay.delete(counted))
    underWay.add(counted)
  }

  async function readLine(): Promise<void> {
    line.push(...(await scan.next(last, lineLength)))
    last = line.at(-1)?.position ?? last
  }

  async function record(): Promise<void> {
    const ends = ended.splice(0)
    await scan.record(ends)
    recordedAt = Date.now()
    onRecorded(ends)
  }
}
