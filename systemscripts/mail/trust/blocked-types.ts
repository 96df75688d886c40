import { type FileHandle, open } from 'node:fs/promises'
import { openCompoundFile } from '../../compound-file.ts'
import { safeFileName } from '../../safe-file-name.ts'
import { readZipDirectory } from '../../zip-file.ts'
import { blockedInside } from './inside-archive.ts'

/**
 * Groups that dba.inboxconfig.blocked_types may name beside endings (`.exe`). `.xlsb` is not among the macro files by name, since large tables
 * are often sent so; with a macro inside it is refused by its content, as any workbook is.
 */
const GROUPS: Record<string, string[]> = {
  executable: words('exe com scr pif msi msp mst dll cpl sys ocx jar app apk appx msix gadget elf dmg pkg deb rpm'),
  script: words(
    'bat cmd js jse mjs vbs vbe vb ws wsf wsc wsh ps1 ps1xml ps2 psc1 psm1 hta lnk reg scf sct url inf msc chm sh bash py pl rb php iqy slk xll settingcontent-ms library-ms',
  ),
  macro: words('docm dotm xlsm xltm xlam xla pptm potm ppam ppsm sldm'),
  disk_image: words('iso img vhd vhdx udf'),
}

function words(text: string): string[] {
  return text.split(' ')
}

/** What is refused where a row says nothing else. */
export const BLOCKED_BY_DEFAULT = ['executable', 'script', 'macro', 'disk_image']

/** Words that blocked_types may hold beside endings. */
export const BLOCKED_GROUPS = Object.keys(GROUPS)

/** @returns the ending for which a file is refused, such as `.exe`; null when its name is allowed. Blanks, dots and hidden marks that disguise it do not count. */
export function blockedByName(name: string, blockedTypes: string[]): string | null {
  const ending = /\.([^.]+)$/.exec(safeFileName(name).toLowerCase())?.[1]
  return ending !== undefined && endingsOf(blockedTypes).has(ending) ? `.${ending}` : null
}

/** Of the lists that rules hold, which are asked about every file. */
const known = new WeakMap<string[], Set<string>>()

function endingsOf(blockedTypes: string[]): Set<string> {
  const endings = known.get(blockedTypes) ?? new Set(blockedTypes.flatMap(endingsOfType))
  known.set(blockedTypes, endings)
  return endings
}

function endingsOfType(type: string): string[] {
  const word = type.trim().toLowerCase()
  return GROUPS[word] ?? [word.replace(/^\*?\./, '')]
}

/**
 * Why a file's bytes are refused, whatever its name: `a Windows program`, `a workbook with macros (vbaProject.bin)`,
 * `an archive that holds "run.exe"`. Null when they are not. By the beginning, and by what is inside a zip or compound file
 * (inside-archive.ts).
 *
 * @param beginning the file's first bytes, 8 or more where it has so many
 * @param depth of an archive within archives
 */
export async function blockedByContent(path: string, beginning: Buffer, blockedTypes: string[], depth = 0): Promise<string | null> {
  const head = beginning.toString('latin1')
  const blocks = (group: string): boolean => blockedTypes.some((type) => type.trim().toLowerCase() === group)
  const program = blocks('executable') ? programOf(head) : null
  if (program !== null) return program
  if (blocks('script') && head.startsWith('#!/')) return 'a script'
  if (blocks('script') && head.startsWith('L\0\0\0\x01\x14\x02\0')) return 'a Windows shortcut'
  if (!head.startsWith('PK\x03\x04') && !head.startsWith('\xd0\xcf\x11\xe0')) return null
  const file = await open(path, 'r')
  try {
    if (head.startsWith('PK\x03\x04')) return await insideZip(file, blockedTypes, depth)
    if (blocks('macro') && head.startsWith('\xd0\xcf\x11\xe0')) return await insideCompound(file)
    return null
  } finally {
    await file.close()
  }
}

function programOf(head: string): string | null {
  if (head.startsWith('MZ')) return 'a Windows program'
  if (head.startsWith('\x7fELF')) return 'a Linux program'
  if (/^(\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe)/.test(head)) return 'a program for macOS or Java'
  return head.startsWith('dex\n') ? 'a program for Android' : null
}

async function insideZip(file: FileHandle, blockedTypes: string[], depth: number): Promise<string | null> {
  const entries = (await readZipDirectory(file).catch(() => null)) ?? []
  const blocksMacros = blockedTypes.some((type) => type.trim().toLowerCase() === 'macro')
  for (const { name } of entries) {
    if (blocksMacros && /(^|\/)vbaProject\.bin$/i.test(name)) return 'a document with macros (vbaProject.bin)'
    // Parts of workbooks end in .bin.
    const ending = /\.bin$/i.test(name) ? null : blockedByName(name.split('/').at(-1) ?? '', blockedTypes)
    if (ending !== null) return `an archive that holds "${name.slice(0, 200)}"`
  }
  return await blockedInside(file, entries, depth, (path, beginning) => blockedByContent(path, beginning, blockedTypes, depth + 1))
}

async function insideCompound(file: FileHandle): Promise<string | null> {
  const container = await openCompoundFile(file).catch(() => null)
  const storage = container?.entries.find(({ name }) => /^(_VBA_PROJECT_CUR|Macros|VBA|_VBA_PROJECT)$/i.test(name))
  return storage === undefined ? null : `a document with macros (${storage.name})`
}
