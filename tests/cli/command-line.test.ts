import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Command, parseWords, usageOf, WrongCommandLine } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { nearestWord } from '../../src/cli/nearest-word.ts'
import { formatTable } from '../../src/cli/print-table.ts'
import { rota } from './rota-process.ts'

const greet: Command = {
  name: 'greet',
  words: ['<name>', '[title]'],
  summary: 'Greets.',
  options: { times: { value: 'number', short: 'n', summary: 'How often.' }, loud: { summary: 'In capitals.' } },
  run: async () => 0,
}

test('words, options with a value and options without are told apart', () => {
  const parsed = parseWords(greet, ['--loud', 'Ada', '-n', '3', '--', '--Countess'])
  assert.deepEqual(parsed.words, ['Ada', '--Countess'])
  assert.deepEqual([...parsed.texts], [['times', '3']])
  assert.deepEqual([...parsed.flags], ['loud'])
})

test('a command line that means nothing is refused with its usage or the nearest option', () => {
  const refused = (argv: string[], code: string, hint: RegExp) =>
    assert.throws(
      () => parseWords(greet, argv),
      (error) => error instanceof WrongCommandLine && error.code === code && hint.test(error.hint ?? ''),
      argv.join(' '),
    )
  refused([], 'wrong_words', /Usage: rota greet <name> \[title\]/)
  refused(['Ada', 'Countess', 'Lovelace'], 'wrong_words', /Usage/)
  refused(['Ada', '--tines', '3'], 'unknown_option', /--times/)
  refused(['Ada', '--times'], 'option_without_value', /Usage/)
  refused(['Ada', '--times', '--loud'], 'option_without_value', /Usage/)
  refused(['Ada', '--loud=yes'], 'wrong_words', /Usage/)
})

test('the nearest word forgives a swapped, missing or added letter, and no more', () => {
  const known = ['status', 'pause', 'resume', 'runs', 'run']
  assert.equal(nearestWord('stauts', known), 'status')
  assert.equal(nearestWord('pasue', known), 'pause')
  assert.equal(nearestWord('RUNSS', known), 'runs')
  assert.equal(nearestWord('reboot', known), null)
})

test('a table keeps every value on its line and out of the terminal’s control', () => {
  const rows = [
    { name: 'a\nb', size: '1' },
    { name: '\u001b[2J', size: '100' },
  ]
  assert.deepEqual(
    formatTable(rows, [
      { title: 'name', text: ({ name }) => name },
      { title: 'size', text: ({ size }) => size, align: 'right' },
    ]),
    ['NAME   SIZE', 'a ⏎ b     1', '�[2J    100'],
  )
})

describe('the command', () => {
  const env = { ROTA_DATA_DIR: join(tmpdir(), 'rota-test-no-such-folder') }

  test('help lists every command, and each tells its own usage', async () => {
    const { code, out } = await rota(['help'], { env })
    assert.equal(code, 0)
    for (const command of commands) assert.match(out, new RegExp(`rota ${command.name}\\b`))
    const page = await rota(['run', '--help'], { env })
    assert.equal(page.code, 0)
    const run = commands.find(({ name }) => name === 'run')
    assert.ok(run !== undefined && page.out.includes(usageOf(run)))
  })

  test('an unknown command is exit code 2 and names the nearest', async () => {
    const { code, out, err } = await rota(['stauts'], { env })
    assert.equal(code, 2)
    assert.equal(out, '')
    assert.match(
      err,
      /ERROR: {2}There is no command "rota stauts"\nDETAIL: {2}.*\nHINT: {2}Did you mean "rota status"\?\nCODE: {2}unknown_command\n/,
    )
  })

  test('without a database it says how to start one', async () => {
    const { code, err } = await rota(['status', '--json'], { env })
    assert.equal(code, 1)
    const { code: word, hint } = JSON.parse(err)
    assert.equal(word, 'no_database')
    assert.match(hint, /npm start/)
  })

  test('a wrong environment is refused before anything is touched, and shows no password', async () => {
    const { code, err } = await rota(['check'], { env: { ...env, DATABASE_URL: 'mysql://root:hunter22@db/x' } })
    assert.equal(code, 1)
    assert.doesNotMatch(err, /hunter22/)
  })
})
