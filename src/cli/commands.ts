import type { Command } from './command.ts'
import { cancel } from './commands/cancel.ts'
import { check } from './commands/check.ts'
import { convert } from './commands/convert.ts'
import { gmailLogin } from './commands/gmail-login.ts'
import { importFile } from './commands/import.ts'
import { inbox } from './commands/inbox.ts'
import { logs } from './commands/logs.ts'
import { migrate } from './commands/migrate.ts'
import { next } from './commands/next.ts'
import { outbox } from './commands/outbox.ts'
import { pause } from './commands/pause.ts'
import { problems } from './commands/problems.ts'
import { report } from './commands/report.ts'
import { rerun } from './commands/rerun.ts'
import { resume } from './commands/resume.ts'
import { run } from './commands/run.ts'
import { runs } from './commands/runs.ts'
import { scrape } from './commands/scrape.ts'
import { secret } from './commands/secret.ts'
import { sql } from './commands/sql.ts'
import { status } from './commands/status.ts'
import { up } from './commands/up.ts'
import { url } from './commands/url.ts'
import { worker } from './commands/worker.ts'

/** Every command, in the order in which help shows them. */
export const commands: readonly Command[] = [
  up,
  migrate,
  worker,
  run,
  importFile,
  scrape,
  inbox,
  report,
  outbox,
  status,
  next,
  runs,
  logs,
  pause,
  resume,
  cancel,
  rerun,
  problems,
  check,
  url,
  secret,
  gmailLogin,
  sql,
  convert,
]
