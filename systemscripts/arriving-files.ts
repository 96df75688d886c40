import { setTimeout as wait } from 'node:timers/promises'
import { createSettleWatch, type FileSearch, type FoundFile, listMatchingFiles, type SettleRule } from './settled-files.ts'

/**
 * The files of a folder as they settle, each once: first those that have stopped changing, then, looking again, those that were still being
 * written. Gives up on a file that goes on changing for a minute (three times settleSeconds, if that is longer) and calls `onUnsettled`; so a sender that never ends does not hold up what is
 * there. With a done-file it looks once.
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
  const until = Date.now() + Math.max(PATIENCE_MS, search.settleSeconds * 3000)
  for (;;) {
    const there = await listMatchingFiles(folder, search)
    for (const file of await watch.look(there, Date.now())) {
      if (given.has(face(file))) continue
      given.add(face(file))
      yield file
    }
    const unsettled = there.filter((file) => !given.has(face(file)))
    if (unsettled.length === 0 || search.doneFile) return
    if (Date.now() > until) {
      unsettled.forEach(onUnsettled)
      return
    }
    await wait(Math.max(search.settleSeconds * 1000, 1), undefined, search.signal ? { signal: search.signal } : {})
  }
}

const PATIENCE_MS = 60_000

function face({ path, identity, modifiedAt, sizeBytes }: FoundFile): string {
  return `${identity} ${modifiedAt.getTime()} ${sizeBytes} ${path}`
}
