import type { FilingAction } from '../../src/job/mails.ts'
import { rowReader } from '../../src/job/read-row.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { InboxRule } from '../../systemscripts/mail/rules.ts'
import { compileSafely } from '../../systemscripts/values/safe-pattern.ts'

/** A row of dba.inboxconfig. */
export interface InboxSettings {
  configName: string
  ruleOrder: number
  connectionName: string
  folder: string
  /** A run stays for so long and takes what comes meanwhile; null: it looks once. */
  waitSeconds: number | null
  /** What decides; sizes are judged by file, beside it. */
  rule: InboxRule
  /** Of one file; null: no limit. */
  maxFileBytes: number | null
  /** Folder as it is written; null: that of `importConfig`. */
  saveTo: string | null
  importConfig: string | null
  saveRaw: boolean
  namePrefix: string | null
  action: FilingAction
  processedLabel: string
  errorLabel: string
}

/** What a run is asked for. */
export interface InboxRequest extends InboxSettings {
  /** Row of dba.rehearsal that is to be answered; null: mails are to be taken. */
  rehearsal: { id: number; days: number } | null
}

/** @throws PermanentError `setting_invalid`, `rule_pattern_invalid` */
export function readRequest(row: Record<string, unknown>): InboxRequest {
  const read = rowReader(row, 'dba.inboxconfig')
  const id = read.numberOrNull('rehearsal_id')
  return { ...readRule(row), rehearsal: id === null ? null : { id, days: read.numberOrNull('rehearsal_days') ?? 30 } }
}

/** @throws PermanentError `setting_invalid`, `rule_pattern_invalid` */
export function readRule(row: Record<string, unknown>): InboxSettings {
  const read = rowReader(row, 'dba.inboxconfig')
  const configName = read.text('config_name')
  const pattern = (column: string): string | null => checkedPattern(read.textOrNull(column), column, configName)
  const authserv = read.textOrNull('authserv_id')
  return {
    configName,
    ruleOrder: read.number('rule_order'),
    connectionName: read.text('connection_name'),
    folder: read.text('folder'),
    waitSeconds: read.secondsOrNull('wait_for'),
    rule: {
      configName,
      senderPattern: pattern('sender_pattern'),
      recipientPattern: pattern('recipient_pattern'),
      subjectPattern: pattern('subject_pattern'),
      bodyPattern: pattern('body_pattern'),
      hasAttachment: (row.has_attachment ?? null) === null ? null : read.flag('has_attachment'),
      attachmentPattern: pattern('attachment_pattern'),
      attachmentTypes: (row.attachment_types ?? null) === null ? null : read.texts('attachment_types'),
      maxAgeSeconds: read.secondsOrNull('max_age'),
      maxSizeBytes: null,
      stopOnMatch: read.flag('stop_on_match'),
      allowedSenders: (row.allowed_senders ?? null) === null ? null : read.texts('allowed_senders'),
      requireAuthenticated: read.flag('require_authenticated'),
      authenticationServer: authserv === '*' ? null : authserv,
      blockedTypes: read.texts('blocked_types'),
    },
    maxFileBytes: read.numberOrNull('max_size_bytes'),
    saveTo: read.textOrNull('save_to'),
    importConfig: read.textOrNull('import_config'),
    saveRaw: read.flag('save_raw'),
    namePrefix: read.textOrNull('name_prefix'),
    action: read.word('processed_action', ['label', 'move', 'flag', 'mark_read', 'leave']),
    processedLabel: read.text('processed_label'),
    errorLabel: read.text('error_label'),
  }
}

/** The order in which rules are asked. */
export function inOrder(rules: InboxSettings[]): InboxSettings[] {
  return rules.toSorted((a, b) => a.ruleOrder - b.ruleOrder || (a.configName < b.configName ? -1 : 1))
}

/** Strangers write what the pattern is tried on: one that could take for ever is not used. */
function checkedPattern(pattern: string | null, column: string, configName: string): string | null {
  if (pattern === null || pattern === '') return null
  compileSafely(
    pattern,
    'i',
    (why) =>
      new PermanentError('rule_pattern_invalid', `${column} of "${configName}" cannot be used`, {
        detail: why,
        hint: `Correct ${column} in dba.inboxconfig; a sign that is meant as it stands gets a backslash or stands in brackets: [.].`,
      }),
  )
  return pattern
}
