import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { splitStatements } from '../src/db/split-sql.ts'
import { freshDatabase } from './helpers/database.ts'

const readme = read('README.md')

test('the README begins with the two commands that start it and test it', () => {
  const [title, , ...block] = readme.split('\n').slice(0, 6)
  assert.match(title ?? '', /^# Rota/)
  assert.deepEqual(block, ['```sh', 'npm ci && npm start', 'npm ci && npm test', '```'])
})

test('the README is one page', () => {
  assert.ok(readme.split('\n').length <= 120, `${readme.split('\n').length} lines`)
})

test('the statements of the README do what it says when a DBA runs them in its order', async (t) => {
  const { as, query } = await freshDatabase(t)
  const { query: dba } = await as('rota_dba')
  const [config, schedule, runNow, notThen, whyNot, problems, ...more] = statementsOf(readme)
  assert.deepEqual(more, [])

  await dba(config ?? '')
  const [answer] = await dba<{ next_fires: string[] }>(schedule ?? '')
  assert.equal(answer?.next_fires.length, 5)
  for (const fire of answer?.next_fires ?? []) assert.match(fire, /06:20 Europe\/Warsaw/)

  const [request] = await dba<{ run_id: string }>(runNow ?? '')
  const [asked] = await query('select schedule_name, state, trigger, requested_by from dba.run where run_id = $1', [request?.run_id])
  assert.deepEqual(asked, { schedule_name: 'load prices', state: 'planned', trigger: 'request', requested_by: 'rota_dba' })

  await dba(notThen ?? '')
  const skipped = await query(
    `select state, to_char(scheduled_for at time zone 'Europe/Warsaw', 'MM-DD HH24:MI') as at, reason from dba.run where state = 'skipped'`,
  )
  assert.deepEqual(skipped, [{ state: 'skipped', at: '12-24 06:20', reason: 'skipped by rota_dba: the exchange is closed' }])

  const [reason] = await dba<{ why_not: string }>(whyNot ?? '')
  const shown = /^-- (The fire .*) …$/m.exec(readme)?.[1] ?? 'nothing'
  assert.ok(withoutDay(reason?.why_not ?? '').startsWith(withoutDay(shown)), reason?.why_not)

  const found = await dba<{ subject: string; message: string; fix: string }>(problems ?? '')
  assert.ok(found.length > 0, 'a lane without a live worker is a problem')
  for (const { subject, message, fix } of found) assert.ok(subject !== '' && message !== '' && fix !== '')

  const [, wrong = '', message, hint] = /^(update .*)\nERROR: {2}(.*)\nHINT: {2}(.*)$/m.exec(readme) ?? []
  await assert.rejects(dba(wrong), { message, hint })
})

test('the README names every environment variable that is read, and no other', () => {
  const named = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name)
  const known = new Set(read('src/config.ts').match(/\b(?:ROTA_[A-Z_]+|DATABASE_URL)\b/g))
  assert.deepEqual(new Set(named), known)
})

test('every link of the README leads to something', () => {
  for (const [, target = ''] of readme.matchAll(/\]\(([^)#]+)\)/g))
    assert.doesNotThrow(() => statSync(new URL(`../${target}`, import.meta.url)), target)
})

test('every command that the papers name is one of the command line', () => {
  const papers = ['README.md', 'onboarding/coming-from.md', 'docker-compose.yml'].map(read).join('\n')
  const named = new Set([...papers.matchAll(/(?:npx rota|`rota|run --rm migrate) ([a-z]+)/g)].map(([, name = '']) => name))
  const known = new Set(readdirSync(new URL('../src/cli/commands/', import.meta.url)).map((file) => file.replace(/[.]ts$/, '')))
  const unknown = [...named].filter((name) => name !== 'help' && !known.has(name))
  assert.ok(named.has('worker'))
  assert.deepEqual(unknown, [])
})

/** The SQL of a page, with 24 December moved to the coming one: the page names a year, and years pass. */
function statementsOf(page: string): string[] {
  const now = new Date()
  const year = now.getUTCFullYear() + (now >= new Date(Date.UTC(now.getUTCFullYear(), 11, 23)) ? 1 : 0)
  const blocks = [...page.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql]) => sql)
  return splitStatements(blocks.join('\n')).map(({ text }) => text.replace(/20\d\d-12-24/g, `${year}-12-24`))
}

/** Weekday and year, which pass, replaced by what stays. */
function withoutDay(text: string): string {
  return text.replace(/[A-Z][a-z]{2} 20\d\d-/, 'day ')
}

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
}
