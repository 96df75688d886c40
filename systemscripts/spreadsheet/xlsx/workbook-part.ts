import { posix } from 'node:path'
import type { ZipEntry } from '../../zip-file.ts'
import { workbookBroken } from '../refusals.ts'
import { utf8Xml } from './xml-bytes.ts'
import { xmlElements } from './xml-elements.ts'
import { findPart, type Package, readPart, refuseLarge } from './zip-part.ts'

/** One tab of the workbook. */
export interface SheetPart {
  name: string
  /** Hidden, or hidden so that only a macro shows it. */
  isHidden: boolean
  /** What it is: `worksheet`, `chartsheet`, `dialogsheet`, `xlMacrosheet`, `module` … Only a worksheet holds a table. */
  kind: string
  /** Null when its part is missing. */
  part: ZipEntry | null
}

export interface WorkbookParts {
  sheets: SheetPart[]
  is1904: boolean
  styles: ZipEntry | null
  sharedStrings: ZipEntry | null
}

export interface Relation {
  id: string
  /** Last word of its type, the same in transitional and Strict files: `worksheet`, `styles` … */
  kind: string
  part: ZipEntry | null
}

/** Sheets, settings and relations of big workbooks stay far below. */
const LARGEST_SMALL_PART = 64 * 1024 * 1024

/**
 * What the workbook is made of, wherever its relations say that the parts lie.
 * @throws PermanentError `workbook_broken`, `workbook_encrypted`, `workbook_too_large`
 */
export async function readWorkbookParts(zip: Package): Promise<WorkbookParts> {
  const workbook = (await mainPart(zip)) ?? findPart(zip, 'xl/workbook.xml')
  if (workbook === undefined) throw workbookBroken(zip.fileName, 'It has no workbook part.')
  const relations = await readRelations(zip, workbook.name)
  const sheets: SheetPart[] = []
  let is1904 = false
  for (const element of xmlElements(await readXml(zip, workbook))) {
    if (element.name === 'workbookPr' && element.path.length === 1) is1904 = /^(1|true|on)$/i.test(element.attribute('date1904') ?? '')
    if (element.name !== 'sheet' || element.path.at(-1) !== 'sheets' || element.path.length !== 2) continue
    const wanted = element.prefixedAttribute('id') ?? ''
    const relation = relations.find(({ id }) => id === wanted)
    const name = element.attribute('name') ?? ''
    sheets.push({
      name,
      isHidden: /hidden/i.test(element.attribute('state') ?? ''),
      // Excel keeps the modules of old macros as tabs without a part.
      kind: relation?.kind ?? (wanted === '' ? 'module' : 'worksheet'),
      part: relation?.part ?? null,
    })
  }
  if (sheets.length === 0) throw workbookBroken(zip.fileName, 'It has no sheet.')
  return { sheets, is1904, styles: partOfKind('styles'), sharedStrings: partOfKind('sharedStrings') }

  /** Some writers forget the relation. */
  function partOfKind(kind: string): ZipEntry | null {
    const folder = posix.dirname(workbook?.name ?? '')
    return relations.find((relation) => relation.kind === kind)?.part ?? findPart(zip, posix.join(folder, `${kind}.xml`)) ?? null
  }
}

/** A small part as text. @throws PermanentError */
export async function readXml(zip: Package, part: ZipEntry): Promise<string> {
  refuseLarge(zip, part, LARGEST_SMALL_PART)
  const chunks: Buffer[] = []
  for await (const chunk of utf8Xml(readPart(zip, part))) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

/** The workbook itself, wherever it lies; null when the package does not say it. */
export async function mainPart(zip: Package): Promise<ZipEntry | null> {
  return (await readRelations(zip, '')).find(({ kind, part }) => kind === 'officeDocument' && part !== null)?.part ?? null
}

/** Relations of a part; of the package itself for ''. */
export async function readRelations(zip: Package, source: string): Promise<Relation[]> {
  const folder = source === '' ? '' : posix.dirname(source)
  const part = findPart(zip, posix.join(folder, '_rels', `${posix.basename(source)}.rels`))
  if (part === undefined) return []
  const relations: Relation[] = []
  for (const element of xmlElements(await readXml(zip, part))) {
    if (element.name !== 'Relationship') continue
    const isInside = element.attribute('TargetMode') !== 'External'
    relations.push({
      id: element.attribute('Id') ?? '',
      kind: posix.basename(element.attribute('Type') ?? ''),
      part: isInside ? partAt(zip, folder, element.attribute('Target') ?? '') : null,
    })
  }
  return relations
}

/** A target is absolute, or relative to the folder of the part that names it; it may be written as part of an address. */
function partAt(zip: Package, folder: string, target: string): ZipEntry | null {
  const plain = target.replaceAll('\\', '/')
  const places = [plain, safelyDecoded(plain)].map((place) =>
    place.startsWith('/') ? posix.normalize(place) : posix.join('/', folder, place),
  )
  return places.map((place) => findPart(zip, place.slice(1))).find((part) => part !== undefined) ?? null
}

function safelyDecoded(target: string): string {
  try {
    return decodeURIComponent(target)
  } catch {
    return target
  }
}
