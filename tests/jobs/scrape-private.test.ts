import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privateHosts } from '../../jobs/scrape/private-hosts.ts'
import { scrapeBench } from './scrape-harness.ts'
import { tablePage } from './scrape-site.ts'

test('a config that may read an inner host is not led to another one', async (t) => {
  const bench = await scrapeBench(t, (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end())
  await bench.configure({ start_url: `${bench.site.origin}/page`, row_selector: 'tr' }, [{ column_name: 'name', selector: 'td' }])
  await assert.rejects(bench.run(), { code: 'private_address' })
  bench.site.answer = (_, response, path) =>
    path === '/page'
      ? response.writeHead(302, { location: bench.site.origin.replace('127.0.0.1', 'localhost') }).end()
      : response.end(tablePage([['a']]))
  await bench.run()
  assert.deepEqual(await bench.query('select name from feeds.page'), [{ name: 'a' }])
})

test('inner hosts are those of the config, of its connection, and those with a row', () => {
  const config = { allowPrivateHosts: true, startUrl: 'http://10.1.1.1:8080/{id}', fileUrl: 'http://files.example.com/x' }
  const allows = privateHosts(config, { options: { login_url: 'http://[fd00::1]/login' } }, (host) => host === '10.9.9.9')
  const hosts = ['10.1.1.1', 'files.example.com', 'fd00::1', '10.9.9.9', '10.1.1.2', 'localhost', '127.0.0.1']
  assert.deepEqual(hosts.filter(allows), hosts.slice(0, 4))
  const byId = privateHosts({ ...config, startUrl: 'http://{id}.example.com/', fileUrl: null }, null, () => false)
  assert.deepEqual(['0.example.com', 'id-of-a-page.example.com'].filter(byId), [])
  assert.equal(privateHosts({ ...config, allowPrivateHosts: false }, null, () => true)('10.1.1.1'), false)
})
