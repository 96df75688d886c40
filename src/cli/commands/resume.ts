import { resumeLane } from '../../control-plane/overview.ts'
import { type Command, jsonOption } from '../command.ts'
import { laneIn } from '../lane-word.ts'
import { withDatabase } from '../open-database.ts'
import { printMessage } from '../print-rows.ts'

export const resume: Command = {
  name: 'resume',
  words: ['<schedule|lane:x>'],
  summary: 'End a pause of a schedule or a lane.',
  options: { json: jsonOption },
  async run(call) {
    const word = call.words[0] ?? ''
    const lane = laneIn(word)
    await withDatabase(call, async (database) => {
      if (lane === null) {
        const [row] = await database.query<{ said: string }>('select dba.resume($1) as said', [word])
        printMessage(call, row?.said ?? '')
      } else {
        await resumeLane(database, lane)
        printMessage(call, `Lane "${lane}" goes on.`)
      }
    })
    return 0
  },
}
