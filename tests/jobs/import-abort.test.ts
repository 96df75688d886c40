import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobError } from '../../systemscripts/errors.ts'
import { eventually } from '../helpers/engine.ts'
import { importBench } from './import-harness.ts'

for (const mode of ['append', 'upsert', 'append_new']) {
  test(`an abort reaches the statement that loads rows under ${mode}, and nothing of them stays`, async (t) => {
    const bench = await importBench(t)
    await bench.configure({ load_mode: mode, ...(mode === 'upsert' ? { key_columns: ['a'] } : {}) })
    await bench.put('inbox/1.csv', 'a\n1\n')
    await bench.run()
    await bench.pool.query(`
      create function feeds.wait() returns trigger language plpgsql as $$ begin perform pg_sleep(600); return new; end $$;
      create trigger wait before insert on feeds.price for each row execute function feeds.wait()`)
    await bench.put('inbox/2.csv', 'a\n2\n')
    const asked = new AbortController()
    const running = bench.run({ signal: asked.signal })
    const sleeping = () => bench.query(`select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`)
    await eventually(sleeping)
    asked.abort(new JobError('cancelled', 'cancelled by a person'))
    await assert.rejects(running, { code: 'cancelled' })
    assert.deepEqual(await sleeping(), [])
    assert.deepEqual(await bench.query('select a from feeds.price'), [{ a: '1' }])
    await bench.pool.query('drop trigger wait on feeds.price')
    await bench.run()
    assert.deepEqual(await bench.query('select a from feeds.price order by a'), [{ a: '1' }, { a: '2' }])
  })
}
