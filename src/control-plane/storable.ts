/** What jobs say, made such that Postgres can hold it: its texts know no NUL, its jsonb no half of a surrogate pair either. */

/** Undefined becomes null. */
export function storableText(text: string | null | undefined): string | null {
  return text?.replaceAll('\0', '\ufffd') ?? null
}

/** @throws TypeError for what JSON cannot say: a bigint, a cycle. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value)
  return !json.includes('\\u')
    ? json
    : json.replace(/\\\\|\\u(?:0000|d[89a-f][0-9a-f]{2})/g, (found) => (found === '\\\\' ? found : '\\ufffd'))
}
