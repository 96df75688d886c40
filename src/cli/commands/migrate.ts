import type { Command } from '../command.ts'
import { findAddress } from '../open-database.ts'
import { prepareDatabase } from '../prepare-database.ts'

export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the database to the schema of this version: roles, tables, queue, passwords of the logins.',
  description: [
    'Forward only; a second call changes nothing. The login of DATABASE_URL must be a superuser or have CREATEROLE.',
    'npm start does the same by itself.',
  ].join('\n'),
  async run(call) {
    const { url } = await findAddress(call.config())
    await prepareDatabase(call, url)
    return 0
  },
}
