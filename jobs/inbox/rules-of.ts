import type { MailLedger } from '../../src/job/mails.ts'
import { type InboxSettings, inOrder, readRule } from './settings.ts'

/** The run's own rule, as it was queued, among the others of its folder, as they are at the start of the run; in the order in which they are asked. */
export function rulesOf(own: InboxSettings, others: unknown[]): InboxSettings[] {
  const rows = others.flatMap((row) => (typeof row === 'object' && row !== null ? [{ ...row }] : []))
  return inOrder([own, ...rows.map(readRule)])
}

/** Absolute folder of each rule's files, by config_name. @throws PermanentError `config_not_found` */
export async function foldersOf(
  rules: InboxSettings[],
  ledger: Pick<MailLedger, 'importFolders'>,
  folder: (path: string) => string,
): Promise<Map<string, string>> {
  const sources = await ledger.importFolders(
    rules.flatMap(({ saveTo, importConfig }) => (saveTo === null && importConfig !== null ? [importConfig] : [])),
  )
  return new Map(rules.map(({ configName, saveTo, importConfig }) => [configName, folder(saveTo ?? sources.get(importConfig ?? '') ?? '')]))
}
