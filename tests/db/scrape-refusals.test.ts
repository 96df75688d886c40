import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Query } from '../helpers/database.ts'
import { refusal } from '../helpers/refusal.ts'
import { peopleOf } from '../helpers/rows.ts'

type Wrong = [row: Record<string, unknown>, message: RegExp, hint: RegExp]

const wrongConfigs: Wrong[] = [
  [{ config_name: ' a ' }, /config name is not blank/, /without blanks/],
  [{ start_url: 'example.com' }, /start url is http or https/, /https:\/\/host\/path/],
  [{ start_url: 'https://example.com/{id}' }, /url without ids has no place for one/, /ids_from/],
  [{ ids_from: 'range', ids_spec: '1..9' }, /url with ids has a place for them/, /\{id\}/],
  [{ ids_from: 'ranges' }, /ids from is known/, /none, range, list, query or frontier/],
  [{ start_url: 'https://e.com/{id}', ids_from: 'range', ids_spec: '9..1' }, /a range runs upward/, /smaller/],
  [{ start_url: 'https://e.com/{id}', ids_from: 'range', ids_spec: '1-9' }, /range is written first dots last/, /115000\.\.144999/],
  [{ start_url: 'https://e.com/{id}', ids_from: 'frontier', ids_spec: '7' }, /frontier is written first misses n/, /misses 500/],
  [{ start_url: 'https://e.com/{id}', ids_from: 'list' }, /ids stand in ids spec/, /a, b, c/],
  [{ row_selector: ' ' }, /selectors are not blank/, /null/],
  [{ target_table: null }, /goes to a table or a folder/, /target_table for rows/],
  [{ target_table: 'dba.x' }, /schema for data/, /schema/],
  [{ load_mode: 'upsert' }, /upsert knows rows by key columns/, /key_columns/],
  [{ click_selector: '#x' }, /only a browser waits and clicks/, /render = 'browser'/],
  [{ file_selector: 'a' }, /files go to the folder of an import config/, /file_config/],
  [{ file_config: 'none', file_selector: 'a' }, /no config "none" in dba.importconfig/, /./],
  [{ file_name: '../x' }, /file name is a name/, /without folder/],
  [{ follow_pattern: '(a' }, /follow_pattern "\(a" is not right/, /Parentheses/],
  [{ source_zone: 'Europe/Warsav' }, /source_zone "Europe\/Warsav" is not known/, /Did you mean "Europe\/Warsaw"/],
  [{ connection_name: 'mail' }, /no connection "mail"/, /kind http/],
  [{ start_url: 'https://me:pw@example.com/' }, /addresses hold no user and password/, /dba.connection/],
  [{ start_url: 'https://example.com/{event}' }, /places of addresses are known/, /\{id\}/],
  [{ label: '{name}' }, /places of label are known/, /\{title\}/],
  [{ file_name: '{nr}.xls' }, /places of file name are known/, /\{timestamp\}/],
  [{ file_pattern: '(a' }, /file_pattern "\(a" is not right/, /Parentheses/],
  [{ follow_pattern: '(?i)xls' }, /mean the same everywhere/, /\[Aa\]/],
  [{ file_pattern: 'xls' }, /files go to the folder of an import config/, /file_config/],
  [{ skip_states: '{Not Valid}' }, /states are words/, /Invalid,AccessDenied/],
  [{ miss_states: '{NULL}' }, /states are words/, /state words/],
  [{ max_page_bytes: 10 ** 12 }, /a page fits into memory/, /268435456/],
  [{ save_unchanged: null }, /save_unchanged.* must not be empty/, /duplicate/],
  [{ low_band_percent: 101 }, /low band percent is between 0 and 100/, /no look at the numbers/],
]

const wrongFields: Wrong[] = [
  [{ config_name: 'page' }, /no config "page" in dba.scrapeconfig/, /Did you mean "pages"/],
  [{ column_name: 'dataset_id' }, /column "dataset_id" is filled by Rota/, /another name/],
  [{ selector: ' ' }, /selector is not blank/, /td:nth-child/],
  [{ attribute: 'href' }, /attribute is of what a selector finds/, /selector of the element/],
  [{ pattern: '(?i)x' }, /mean the same everywhere/, /\[Aa\]/],
  [{ is_count: true }, /what is counted has a selector/, /selector/],
  [{ page_text: true, selector: 'p' }, /text of the page has no selector/, /page_text = false/],
  [{ page_fact: 'adress' }, /page fact is known/, /final_url/],
  [{ page_fact: 'url', pattern: 'x' }, /fact of the page is read nowhere else/, /transform/],
  [{ type: 'string' }, /no type "string"/, /Did you mean "text"/],
  [{ type: 'date', format: '#' }, /./, /./],
  [{ state_word: 'not one', selector: 'p' }, /state word is a word/, /one word/],
  [{ state_word: 'Active' }, /a state is told by something/, /status_codes/],
]

const wrongHosts: Wrong[] = [
  [{ host: 'https://example.com' }, /host is a name or a star/, /without https/],
  [{ host: 'WWW.example.com' }, /host is a name or a star/, /lower case/],
  [{ user_agent: 'Rötä' }, /user agent is one line/, /ASCII/],
  [{ parallel: 0 }, /parallel is between 1 and 64/, /1 to 64/],
  [{ obey_robots: false }, /robots are disobeyed for a reason/, /who allowed it/],
  [{ active_from: '08:00' }, /a window has both ends/, /or neither/],
  [{ time_zone: 'CET' }, /time zone "CET" is not known/, /IANA/],
]

test('a row of scraping that cannot be right says what would be', async (t) => {
  const { dba } = await peopleOf(t)
  await dba(`insert into dba.scrapeconfig (config_name, start_url, target_table) values ('pages', 'https://example.com', 'feeds.page')`)
  for (const wrong of wrongConfigs)
    await refuses(dba, 'scrapeconfig', { config_name: 'x', start_url: 'https://example.com', target_table: 'feeds.x' }, wrong)
  for (const wrong of wrongFields) await refuses(dba, 'scrapefield', { config_name: 'pages', column_name: 'a' }, wrong)
  for (const wrong of wrongHosts) await refuses(dba, 'scrapehost', { host: 'example.com' }, wrong)
})

async function refuses(dba: Query, table: string, least: Record<string, unknown>, [wrong, message, hint]: Wrong): Promise<void> {
  const row = { ...least, ...wrong }
  const places = Object.keys(row).map((_, index) => `$${index + 1}`)
  const statement = dba(`insert into dba.${table} (${Object.keys(row).join(', ')}) values (${places.join(', ')})`, Object.values(row))
  const said = await refusal(statement).catch((error: unknown) => assert.fail(`${JSON.stringify(wrong)}: ${error}`))
  assert.match(said.message, message, JSON.stringify(wrong))
  assert.match(said.hint, hint, `${JSON.stringify(wrong)}: ${said.message}`)
}

test('a connection of kind http has the options that a scrape knows, and nothing else', async (t) => {
  const { dba } = await peopleOf(t)
  const wrong: [options: Record<string, unknown>, message: RegExp, hint: RegExp][] = [
    [{ loginurl: 'https://e.com' }, /kind http has no option "loginurl"/, /Did you mean "login_url"/],
    [{ proxy_url: 8080 }, /option proxy_url of connection "site" is 8080/, /Write a text/],
    [{ proxy_url: 'http://me:pw@proxy:8080' }, /is no web address/, /without user and password/],
    [{ login_url: 'e.com/login' }, /is no web address/, /https:\/\/host\/path/],
    [{ auth: 'digest' }, /option auth of connection "site" is "digest"/, /basic .* bearer .* form/],
    [{ auth: 'form' }, /logs in by a form, and no option says where/, /login_url/],
    [{ login_url: 'https://e.com/login' }, /logs in by a form and has no secret/, /secret_name/],
    [{ proof_pattern: '(a' }, /proof_pattern "\(a" is not right/, /Parentheses/],
    [{ password: 'x' }, /hold no secret/, /rota secret set/],
  ]
  for (const [options, message, hint] of wrong) {
    const said = await refusal(
      dba(`insert into dba.connection (connection_name, kind, options) values ('site', 'http', $1)`, [JSON.stringify(options)]),
    )
    assert.match(said.message, message)
    assert.match(said.hint, hint)
  }
  const options = { auth: 'form', login_url: 'https://e.com/login', user_field: 'mail', password_field: 'pw', accept_language: 'de' }
  await dba(`insert into dba.connection (connection_name, kind, host, secret_name, options) values ('site', 'http', 'e.com', 'site', $1)`, [
    JSON.stringify(options),
  ])
})

test('the row of all hosts stays, whatever else goes', async (t) => {
  const { dba } = await peopleOf(t)
  for (const statement of [`delete from dba.scrapehost`, `update dba.scrapehost set host = 'example.com'`]) {
    const said = await refusal(dba(statement))
    assert.match(said.message, /host "\*" stands for all hosts without a row/)
    assert.match(said.hint, /insert a row/)
  }
  await dba(`insert into dba.scrapehost (host) values ('example.com')`)
  await dba(`delete from dba.scrapehost where host = 'example.com'`)
})

test('a config takes its pages, counts and requests along when it is renamed, and its request schedule when it goes', async (t) => {
  const { dba, worker } = await peopleOf(t)
  await dba(`insert into dba.scrapeconfig (config_name, start_url, target_table) values ('pages', 'https://example.com', 'feeds.page')`)
  const [asked] = await dba<{ run_id: string }>(`select dba.request_scrape('pages', replay => true, reason => 'a try') as run_id`)
  await worker(`insert into dba.page (config_name, url) values ('pages', 'https://example.com')`)
  await worker(
    `insert into dba.scrapecount (run_id, config_name, subject, pages, matched, is_good) values ($1, 'pages', 'rows', 1, 1, true)`,
    [asked?.run_id],
  )
  await dba(`update dba.scrapeconfig set config_name = 'rates' where config_name = 'pages'`)
  assert.deepEqual(
    await dba(
      'select p.config_name as page, c.config_name as count, s.schedule_name as schedule from dba.page p, dba.scrapecount c, dba.scheduler s',
    ),
    [{ page: 'rates', count: 'rates', schedule: 'rates (on request)' }],
  )
  assert.deepEqual(await dba('select args, requested_by, requested_reason from dba.run'), [
    { args: { replay: true }, requested_by: 'rota_dba', requested_reason: 'a try' },
  ])
  await dba('delete from dba.scrapeconfig')
  assert.deepEqual(await dba('select * from dba.scheduler'), [])
})

test('an operator asks for a scrape, a reader does not', async (t) => {
  const { dba, operator, reader } = await peopleOf(t)
  await dba(`insert into dba.scrapeconfig (config_name, start_url, target_table) values ('pages', 'https://example.com', 'feeds.page')`)
  await operator(`select dba.request_scrape('pages')`)
  assert.equal((await refusal(reader(`select dba.request_scrape('pages')`))).code, '42501')
})

test('a field beside a config is another version of it, and stands with its settings', async (t) => {
  const { dba } = await peopleOf(t)
  await dba(`insert into dba.scrapeconfig (config_name, start_url, target_table) values ('pages', 'https://example.com', 'feeds.page')`)
  await dba(`insert into dba.scrapefield (config_name, column_name, selector) values ('pages', 'name', 'td')`)
  await dba(`update dba.scrapefield set selector = 'th'`)
  const versions = await dba(
    `select version, settings #>> '{scrapefield,0,selector}' as selector from dba.configversion where config_name = 'pages' order by version`,
  )
  assert.deepEqual(versions, [
    { version: 1, selector: null },
    { version: 2, selector: 'td' },
    { version: 3, selector: 'th' },
  ])
})
