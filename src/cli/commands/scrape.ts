import { requestScrape } from '../../control-plane/scrape-requests.ts'
import { carryOutRun, reportRun } from '../carry-out-run.ts'
import { type Command, jsonOption } from '../command.ts'
import { withDatabase } from '../open-database.ts'

export const scrape: Command = {
  name: 'scrape',
  words: ['<config>'],
  summary: 'Scrape by a config and follow it; exit code 0 when it succeeds, else 1.',
  description: [
    'rota scrape rates',
    'rota scrape rates --replay',
    '',
    'Needs no schedule. With --replay the pages that are kept (keep_pages, replay_days of dba.scrapeconfig) are read again by the present rules:',
    'it says page by page what would be found, asks the web for nothing and loads nothing.',
    "The same by SQL: select dba.request_scrape('rates', replay => true).",
  ].join('\n'),
  options: {
    replay: { summary: 'Read kept pages again; fetch and load nothing.' },
    reason: { value: 'text', summary: 'Why; stands in the run.' },
    json: { ...jsonOption, summary: 'Print the outcome as one JSON object instead of the log.' },
  },
  async run(call) {
    const request = { config: call.words[0] ?? '', isReplay: call.has('replay'), reason: call.text('reason') ?? null }
    return withDatabase(call, async (database) =>
      reportRun(call, await carryOutRun(call, database, await requestScrape(database, request))),
    )
  },
}
