import { setTimeout as wait } from 'node:timers/promises'
import { createSettleWatch, type FileSearch, type FoundFile, listMatchingFiles, type SettleRule } from './settled-files.ts'

/**
 * The files of a folder as they settle: first those that have stopped changing, then, looking again, those that were still being written, and
 * those that have changed since they were given. Gives up on a file that goes on changing for a minute (three times settleSeconds, if that is
 * longer) and calls `onUnsettled`; so a sender that never ends does not hold up what is there. With a done-file it looks once.
 *
 * @throws JobError `folder_missing`; PermanentError `file_pattern_invalid`; the signal's reason when aborted
 */
export async function* arrivingFiles(
  folder: string,
  search: FileSearch & SettleRule,
  onUnsettled: (file: FoundFile) => void = () => {},
): AsyncGenerator<FoundFile> {
  const watch = createSettleWatch(search)
  const given = new Set<string>()
  const givenPaths = new Set<string>()
  const isNew = (file: FoundFile) => !given.has(face(file))
  const until = Date.now() + Math.max(PATIENCE_MS, search.settleSeconds * 3000)
  for (;;) {
    const there = await listMatchingFiles(folder, search)
    for (const file of await watch.look(there, Date.now())) {
      if (!isNew(file)) continue
      given.add(face(file))
      givenPaths.add(file.path)
      yield file
    }
    if (search.doneFile) return
    const unsettled = there.some(isNew) ? there.filter(isNew) : await changedSince()
    if (unsettled.length === 0) return
    if (Date.now() > until) {
      unsettled.forEach(onUnsettled)
      return
    }
    await wait(Math.max(search.settleSeconds * 1000, 1), undefined, search.signal ? { signal: search.signal } : {})
  }

  async function changedSince(): Promise<FoundFile[]> {
    if (givenPaths.size === 0) return []
    return (await listMatchingFiles(folder, search)).filter((file) => givenPaths.has(file.path) && isNew(file))
  }
}

const PATIENCE_MS = 60_000

function face({ path, identity, modifiedAt, sizeBytes }: FoundFile): string {
  return `${identity} ${modifiedAt.getTime()} ${sizeBytes} ${path}`
}
