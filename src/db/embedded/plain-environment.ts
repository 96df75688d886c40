/** What the server's programs get of our environment: no PG… variable that would steer them, and no secret of ours. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC' }
  for (const name of ['PATH', 'TMPDIR', 'SystemRoot', 'windir', 'TEMP', 'TMP', 'COMSPEC', 'USERPROFILE']) {
    if (process.env[name] !== undefined) kept[name] = process.env[name]
  }
  return kept
}
