import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { scrapeBench } from './scrape-harness.ts'

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
const skip = chromium === undefined ? 'Chromium is not installed' : false

test('a page that JavaScript makes becomes rows, and an export button a file', { skip }, async (t) => {
  const bench = await scrapeBench(t, (_, response) =>
    response.end(`<h1>List</h1><button id=export>Export</button><script>
      setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<table><tr><td>made</td></tr></table>'), 100)
      document.querySelector('#export').onclick = () => {
        const link = document.createElement('a')
        link.href = URL.createObjectURL(new Blob(['company\\nX\\n'], { type: 'text/csv' }))
        link.download = 'list.csv'
        link.click()
      }</script>`),
  )
  await bench.query(
    `insert into dba.importconfig (config_name, source_folder, file_pattern, target_table) values ('lists', 'inbox/lists', '*.csv', 'feeds.list')`,
  )
  await bench.configure(
    {
      start_url: `${bench.site.origin}/`,
      render: 'browser',
      row_selector: 'tr',
      wait_selector: 'table',
      click_selector: '#export',
      save_unchanged: false,
      file_config: 'lists',
      file_name: 'export_{name}',
    },
    [{ column_name: 'name', selector: 'td' }],
  )
  assert.equal((await bench.run()).note, '1 page read; 1 row; 1 file saved, 0 unchanged.')
  assert.deepEqual(await bench.query('select name from feeds.page'), [{ name: 'made' }])
  assert.deepEqual(await bench.texts('inbox/lists'), ['company\nX\n'])
  assert.equal((await bench.run()).note, '1 page read; 1 row; 0 files saved, 1 unchanged.')
})

test('without a browser the run says so', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.end('<p>x</p>'))
  await bench.configure({ start_url: `${bench.site.origin}/`, render: 'browser' }, [{ column_name: 'name', selector: 'p' }])
  await assert.rejects(bench.run({ chromium: '/nowhere/chromium' }), { code: 'browser_missing' })
})
