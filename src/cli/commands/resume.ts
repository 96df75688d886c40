import { resumeLane } from '../../control-plane/overview.ts'
import type { Command } from '../command.ts'
import { laneIn } from '../lane-word.ts'
import { withDatabase } from '../open-database.ts'

export const resume: Command = {
  name: 'resume',
  words: ['<schedule|lane:x>'],
  summary: 'End a pause of a schedule or a lane.',
  async run(call) {
    const word = call.words[0] ?? ''
    const lane = laneIn(word)
    await withDatabase(call, async (database) => {
      if (lane === null) {
        const [row] = await database.query<{ said: string }>('select dba.resume($1) as said', [word])
        call.out.line(row?.said)
      } else {
        await resumeLane(database, lane)
        call.out.line(`Lane "${lane}" goes on.`)
      }
    })
    return 0
  },
}
