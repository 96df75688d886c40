import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase, type Query } from '../helpers/database.ts'

interface Settings {
  version: number
  max_rejects: number
  importcolumn: { column_name: string; type: string }[]
  importcheck: { check_name: string; low: number }[]
}

test('a config is kept in each version that a transaction leaves behind, with the columns and checks of that version', async (t) => {
  const { dba, settingsOf } = await houseOf(t)
  await dba(`insert into dba.importcolumn (config_name, column_name, type) values ('prices', 'price', 'integer')`)
  await dba(`insert into dba.importcheck (config_name, check_name, kind, low) values ('prices', 'not empty', 'min_rows', 1)`)
  await dba(`update dba.importcolumn set type = 'numeric'`)
  await dba(`begin`)
  await dba(`update dba.importcheck set low = 10`)
  await dba(`update dba.importconfig set max_rejects = 5`)
  await dba(`commit`)
  await dba(`delete from dba.importcolumn`)

  const shown = async (version: number | null) => {
    const { max_rejects, importcolumn, importcheck } = await settingsOf('prices', version)
    return { max_rejects, columns: importcolumn.map(({ type }) => type), checks: importcheck.map(({ low }) => low) }
  }
  assert.deepEqual(await shown(1), { max_rejects: 0, columns: [], checks: [] })
  assert.deepEqual(await shown(2), { max_rejects: 0, columns: ['integer'], checks: [] })
  assert.deepEqual(await shown(3), { max_rejects: 0, columns: ['integer'], checks: [1] })
  assert.deepEqual(await shown(4), { max_rejects: 0, columns: ['numeric'], checks: [1] })
  assert.deepEqual(await shown(6), { max_rejects: 5, columns: ['numeric'], checks: [10] })
  assert.deepEqual(await shown(null), { max_rejects: 5, columns: [], checks: [10] })
  assert.deepEqual(await dba(`select version from dba.configversion where config_name = 'prices' order by version`), [
    { version: 1 },
    { version: 2 },
    { version: 3 },
    { version: 4 },
    { version: 6 },
    { version: 7 },
  ])
})

test('former versions go by their age, save for the present one and those that a run names', async (t) => {
  const { dba, worker, system } = await houseOf(t)
  for (const rejects of [1, 2, 3, 4]) await dba(`update dba.importconfig set max_rejects = ${rejects}`)
  await dba(`insert into dba.scheduler (schedule_name, job, config_name) values ('prices', 'import', 'prices')`)
  await dba(`insert into dba.run (schedule_name) values ('prices')`)
  await worker(`update dba.run set config_version = 2`)
  await system(`update dba.configversion set saved_at = saved_at - interval '90 days' where version <= 4`)
  assert.deepEqual(await dba('select dba.forget_config_versions() as gone'), [{ gone: 0 }])
  await dba(`update dba.setting set value = '30 days' where name = 'retention_configversion'`)
  assert.deepEqual(await dba('select dba.forget_config_versions() as gone'), [{ gone: 2 }])
  // The fourth was in force until the fifth came.
  assert.deepEqual(await dba('select version from dba.configversion order by version'), [{ version: 2 }, { version: 4 }, { version: 5 }])
})

test('rows beside a config come in the order of their names, without what Rota keeps about them', async (t) => {
  const { dba, settingsOf } = await houseOf(t)
  await dba(`insert into dba.importcolumn (config_name, column_name) values ('prices', 'b'), ('prices', 'a')`)
  const { importcolumn } = await settingsOf('prices', null)
  assert.deepEqual(importcolumn, [
    {
      column_name: 'a',
      source_name: null,
      type: 'text',
      format: null,
      is_required: false,
      default_value: null,
      null_tokens: null,
      transform: null,
      description: null,
    },
    { ...importcolumn[1], column_name: 'b' },
  ])
})

test('former versions take a new name along, also when two configs change places', async (t) => {
  const { dba, settingsOf } = await houseOf(t)
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, max_rejects) values ('rates', 'b', '*', 'feeds.b', 7)`,
  )
  await dba(`update dba.importconfig set max_rejects = 8 where config_name = 'rates'`)
  await dba(`begin`)
  await dba(`update dba.importconfig set config_name = 'x' where config_name = 'prices'`)
  await dba(`update dba.importconfig set config_name = 'prices' where config_name = 'rates'`)
  await dba(`update dba.importconfig set config_name = 'rates' where config_name = 'x'`)
  await dba(`commit`)
  assert.deepEqual((await settingsOf('prices', 1)).max_rejects, 7)
  assert.deepEqual((await settingsOf('prices', 3)).max_rejects, 8)
  assert.deepEqual((await settingsOf('rates', 1)).max_rejects, 0)
})

test('the settings of a deleted config stay for the runs that were queued under them, until another takes its name', async (t) => {
  const { dba, settingsOf } = await houseOf(t)
  await dba(`insert into dba.importcolumn (config_name, column_name, type) values ('prices', 'price', 'integer')`)
  await dba(`delete from dba.importconfig`)
  assert.deepEqual(
    (await settingsOf('prices', 2)).importcolumn.map(({ column_name: column }) => column),
    ['price'],
  )
  await dba(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table, max_rejects) values ('prices', 'b', '*', 'feeds.b', 7)`,
  )
  assert.equal((await settingsOf('prices', 1)).max_rejects, 7)
})

test('an import that waits in the queue keeps the columns and checks that it was queued with', async (t) => {
  const { dba, settingsOf, worker } = await houseOf(t)
  await dba(`insert into dba.importcolumn (config_name, column_name, type) values ('prices', 'price', 'integer')`)
  const [run] = await worker<{ run_id: string }>(
    `insert into dba.run (schedule_id, schedule_name, job, config_name, config_version, fire_key, due_at, state)
     select 1, 'x', job, config_name, version, 'k', now(), 'queued' from dba.jobconfig
     returning run_id`,
  )
  await dba(`update dba.importcolumn set type = 'text', column_name = 'amount'`)
  await dba(`update dba.importconfig set config_name = 'costs'`)
  const [queued] = await worker<{ config_name: string; config_version: number }>(
    'select config_name, config_version from dba.run where run_id = $1',
    [run?.run_id],
  )
  const { importcolumn } = await settingsOf(queued?.config_name ?? '', queued?.config_version ?? null)
  assert.deepEqual(
    importcolumn.map(({ column_name, type }) => ({ column_name, type })),
    [{ column_name: 'price', type: 'integer' }],
  )
})

async function houseOf(t: Parameters<typeof freshDatabase>[0]): Promise<{
  dba: Query
  worker: Query
  system: Query
  settingsOf(config: string, version: number | null): Promise<Settings>
}> {
  const { as, query: system } = await freshDatabase(t)
  const [dba, worker] = [await as('rota_dba'), await as('rota_worker')]
  await dba.query(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('prices', 'inbox', '*', 'feeds.price')`,
  )
  return {
    dba: dba.query,
    worker: worker.query,
    system,
    settingsOf: async (config, version) => {
      const [row] = await worker.query<{ settings: Settings }>(`select dba.settings_of('import', $1, $2) as settings`, [config, version])
      assert.ok(row)
      return row.settings
    },
  }
}
