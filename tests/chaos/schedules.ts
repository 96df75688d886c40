import type { Client } from 'pg'

/** Schedules that fire every second, one for each way in which runs can get into each other's way. */
const storm: { name: string; args: Record<string, unknown>; terms?: Record<string, unknown> }[] = [
  { name: 'quick', args: {} },
  { name: 'within its second', args: { seconds: 0.3 } },
  { name: 'longer than its second', args: { seconds: 2.5 } },
  { name: 'queued', args: { seconds: 0.5 }, terms: { overlap: 'queue', max_catch_up: 5 } },
  { name: 'queued and longer', args: { seconds: 1.6 }, terms: { overlap: 'queue', max_catch_up: 3 } },
  { name: 'cancels the former', args: { seconds: 2.5 }, terms: { overlap: 'cancel' } },
  { name: 'side by side', args: { seconds: 1.2 }, terms: { overlap: 'allow' } },
  { name: 'fails twice', args: { fail: true }, terms: { max_attempts: 2, retry_delay: '300 ms', retry_backoff: 1 } },
  {
    name: 'fails side by side',
    args: { seconds: 0.1, fail: true },
    terms: { overlap: 'allow', max_attempts: 3, retry_delay: '500 ms', retry_backoff: 1.5 },
  },
  { name: 'fails for good', args: { fail_permanently: true } },
  { name: 'holds the tool', args: { seconds: 0.3 }, terms: { resource: 'tool' } },
  { name: 'holds the tool, too', args: { seconds: 0.3 }, terms: { resource: 'tool' } },
  { name: 'catches up all', args: {}, terms: { catch_up: 'all', overlap: 'allow', max_catch_up: 1000 } },
  { name: 'catches up none', args: { seconds: 0.2 }, terms: { catch_up: 'skip' } },
]

/** Many attempts, so that kills alone end no run as failed. */
const usual = { max_attempts: 50 }

export async function insertSchedules(client: Client): Promise<number> {
  for (const { name, args, terms = {} } of storm) {
    const columns = { schedule_name: name, job: 'noop', cron: '* * * * * *', args: JSON.stringify(args), ...usual, ...terms }
    const names = Object.keys(columns).map((column) => client.escapeIdentifier(column))
    const places = names.map((_, index) => `$${index + 1}`)
    await client.query(`insert into dba.scheduler (${names.join(', ')}) values (${places.join(', ')})`, Object.values(columns))
  }
  return storm.length
}
