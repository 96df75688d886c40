import { xmlAttribute, xmlText } from './xml-text.ts'

/** What the workbook says of a sheet. */
export interface SheetPart {
  name: string
  /** `A1:L101`: what the filter of the header covers; null: there is none. */
  filtered: string | null
}

/** The part that lists the types of all others. */
export function contentTypes(sheets: number): string {
  const parts = Array.from({ length: sheets }, (_, at) => override(`/xl/worksheets/sheet${at + 1}.xml`, 'worksheet'))
  return `${DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>\
${override('/xl/workbook.xml', 'sheet.main')}${parts.join('')}${override('/xl/styles.xml', 'styles')}${override('/xl/sharedStrings.xml', 'sharedStrings')}</Types>`
}

export function rootRelations(): string {
  return `${DECLARATION}<Relationships xmlns="${PACKAGE_RELATIONS}">${relation('rId1', 'officeDocument', 'xl/workbook.xml')}</Relationships>`
}

export function workbookRelations(sheets: number): string {
  const own = Array.from({ length: sheets }, (_, at) => relation(`rId${at + 1}`, 'worksheet', `worksheets/sheet${at + 1}.xml`))
  const shared = relation(`rId${sheets + 1}`, 'styles', 'styles.xml') + relation(`rId${sheets + 2}`, 'sharedStrings', 'sharedStrings.xml')
  return `${DECLARATION}<Relationships xmlns="${PACKAGE_RELATIONS}">${own.join('')}${shared}</Relationships>`
}

/** The header is repeated on each printed page. */
export function workbook(sheets: readonly SheetPart[]): string {
  const list = sheets.map(({ name }, at) => `<sheet name="${xmlAttribute(name)}" sheetId="${at + 1}" r:id="rId${at + 1}"/>`)
  const names = sheets.flatMap(({ name, filtered }, at) => {
    if (filtered === null) return []
    const sheet = xmlText(`'${name.replaceAll("'", "''")}'`)
    const cells = filtered.replace(/([A-Z]+)(\d+)/g, '$$$1$$$2')
    return [
      `<definedName name="_xlnm._FilterDatabase" localSheetId="${at}" hidden="1">${sheet}!${cells}</definedName>`,
      `<definedName name="_xlnm.Print_Titles" localSheetId="${at}">${sheet}!$1:$1</definedName>`,
    ]
  })
  return `${DECLARATION}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><bookViews><workbookView/></bookViews><sheets>${list.join('')}</sheets>\
${names.length === 0 ? '' : `<definedNames>${names.join('')}</definedNames>`}</workbook>`
}

export const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
export const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE_RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships'

function override(part: string, type: string): string {
  return `<Override PartName="${part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${type}+xml"/>`
}

function relation(id: string, type: string, target: string): string {
  return `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`
}
