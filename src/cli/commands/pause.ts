import { pauseLane } from '../../control-plane/overview.ts'
import { type Command, jsonOption } from '../command.ts'
import { laneIn } from '../lane-word.ts'
import { withDatabase } from '../open-database.ts'
import { printMessage } from '../print-rows.ts'

export const pause: Command = {
  name: 'pause',
  words: ['<schedule|lane:x>'],
  summary: 'Pause a schedule, or a whole lane.',
  description: [
    'A paused schedule skips its fires, with the reason; they are not caught up. A paused lane holds every start as waiting.',
    'rota pause "meetmax import" --until "2026-12-24 06:00" --reason "storage move"',
    'rota pause lane:plant_a --until "2 hours"',
  ].join('\n'),
  options: {
    until: {
      value: 'when',
      summary: '"2 hours", or a moment in the zone of the schedule. Left out: until resumed.',
    },
    reason: { value: 'text', summary: 'Why; stands in every skipped run.' },
    json: jsonOption,
  },
  async run(call) {
    const word = call.words[0] ?? ''
    const lane = laneIn(word)
    const reason = call.text('reason') ?? null
    await withDatabase(call, async (database) => {
      const until = call.text('until') ?? null
      if (lane !== null) printMessage(call, await pauseLane(database, lane, until, reason))
      else {
        const [row] = await database.query<{ said: string }>('select dba.pause($1, $2, $3) as said', [word, until, reason])
        printMessage(call, row?.said ?? '')
      }
    })
    return 0
  },
}
