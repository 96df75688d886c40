/** The settings that an attempt runs under: those of the version it was queued with, args laid over them. */
import type { Pool } from 'pg'
import { PermanentError } from '../../systemscripts/errors.ts'

interface SettingsOf {
  job: string
  configName: string | null
  /** Version that the run was queued with; null takes the present one. */
  configVersion: number | null
  args: Record<string, unknown>
}

/**
 * The settings row in the database's spelling. A run keeps the terms it was queued under: when the row was edited since, the audit still has
 * the version that counts.
 * @throws PermanentError config_not_found
 */
export async function readSettings(pool: Pool, { job, configName, configVersion, args }: SettingsOf): Promise<Record<string, unknown>> {
  if (configName === null) return args
  const { rows } = await pool.query<{ settings: Record<string, unknown> | null }>({
    name: 'read-settings',
    text: 'select dba.settings_of($1, $2, $3) as settings',
    values: [job, configName, configVersion],
  })
  const settings = rows[0]?.settings
  if (!settings) {
    throw new PermanentError('config_not_found', `Job "${job}" has no config "${configName}"`, {
      detail: 'It was deleted after the run was queued.',
      hint: `Insert it again, or take it from dba.configaudit: select dba.restore(audit_id).`,
    })
  }
  return { ...settings, ...args }
}
