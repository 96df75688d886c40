import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { readConfig } from '../src/config.ts'

test('an empty environment gives the defaults, and variables set to nothing count as unset', () => {
  const defaults = { dataDir: resolve('.rota'), lanes: ['default'], concurrency: 10, demo: true, logLevel: 'info' }
  assert.deepEqual(readConfig({}), defaults)
  const empty = {
    DATABASE_URL: '',
    ROTA_DATA_DIR: '',
    ROTA_SECRET_KEY: '',
    ROTA_LANES: '',
    ROTA_CONCURRENCY: '',
    ROTA_PROGRAM_DIR: '',
    ROTA_DEMO: '',
    ROTA_LOG_LEVEL: '',
  }
  assert.deepEqual(readConfig(empty), defaults)
})

test('everything can be set', () => {
  const config = readConfig({
    DATABASE_URL: 'postgresql://rota:p%40ss@db.example:5433/control?sslmode=verify-full',
    ROTA_DATA_DIR: 'data',
    ROTA_SECRET_KEY: 'k',
    ROTA_LANES: 'plant_a, default,plant_a',
    ROTA_CONCURRENCY: '100',
    ROTA_PROGRAM_DIR: '/opt/programs/',
    ROTA_CHROMIUM: '/opt/chromium/chrome',
    ROTA_DEMO: 'off',
    ROTA_LOG_LEVEL: 'debug',
  })
  assert.deepEqual(config, {
    databaseUrl: 'postgresql://rota:p%40ss@db.example:5433/control?sslmode=verify-full',
    dataDir: resolve('data'),
    secretKey: 'k',
    lanes: ['plant_a', 'default'],
    concurrency: 100,
    programDir: '/opt/programs',
    chromium: '/opt/chromium/chrome',
    demo: false,
    logLevel: 'debug',
  })
})

for (const [variable, value, seen] of [
  ['ROTA_CONCURRENCY', '0', '"0"'],
  ['ROTA_CONCURRENCY', 'x', '"x"'],
  ['ROTA_CONCURRENCY', '101', '"101"'],
  ['ROTA_CONCURRENCY', '2.5', '"2.5"'],
  ['ROTA_LANES', 'default,Plant A', '"Plant A"'],
  ['ROTA_LANES', '1st', '"1st"'],
  ['ROTA_LANES', ' , ', '" , "'],
  ['ROTA_DEMO', 'maybe', '"maybe"'],
  ['ROTA_LOG_LEVEL', 'verbose', '"verbose"'],
  ['DATABASE_URL', 'mysql://rota:secret@db/x', 'an address that begins with "mysql://" and cannot be read'],
  ['DATABASE_URL', 'host=db password=secret', 'no address'],
  ['DATABASE_URL', 'postgres://rota:secret@db:port/x', 'an address that begins with "postgres://" and cannot be read'],
] as const) {
  test(`${variable} = ${value} is refused by name, with what would be right`, () => {
    assert.throws(
      () => readConfig({ [variable]: value }),
      (error: { code: string; message: string; detail: string; hint: string }) => {
        assert.equal(error.code, 'invalid_environment')
        assert.equal(error.message, `Environment variable ${variable} is not understood`)
        assert.equal(error.detail, `It is ${seen}.`)
        assert.ok(error.hint)
        return true
      },
    )
  })
}
