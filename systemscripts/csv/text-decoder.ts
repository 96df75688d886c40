/** Bytes to text, refusing what is not of the encoding. */
export interface Decoder {
  /** @throws TypeError for bytes that the encoding does not know; null says that nothing follows */
  decode(bytes: Uint8Array | null): string
}

/** The name of the encoding that a label means, null for none. Labels of the WHATWG Encoding Standard, and `ibm437` or `cp850` for DOS. */
export function encodingOf(label: string): string | null {
  const dos = /^\s*(?:ibm|cp|dos)-?(\d{3})\s*$/i.exec(label)?.[1] ?? ''
  if (CODE_PAGES.has(`ibm${dos}`)) return `ibm${dos}`
  try {
    return new TextDecoder(label).encoding
  } catch {
    return null
  }
}

/** @param encoding as encodingOf gives it */
export function createDecoder(encoding: string): Decoder {
  const page = CODE_PAGES.get(encoding)
  if (page !== undefined) return { decode: (bytes) => (bytes === null ? '' : textOf(bytes, page)) }
  const decoder = new TextDecoder(encoding, { fatal: true })
  return { decode: (bytes) => (bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true })) }
}

/** Of code page 437, the first PC's. */
export function textOfDos(bytes: Uint8Array): string {
  return textOf(bytes, CODE_PAGE_437)
}

function textOf(bytes: Uint8Array, page: Uint16Array): string {
  const units = new Uint16Array(bytes.length)
  for (let at = 0; at < bytes.length; at += 1) units[at] = page[bytes[at] ?? 0] ?? 0
  return Buffer.from(units.buffer).toString('utf16le')
}

/** @param upper its bytes 128 to 255 */
function codePage(upper: string): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => (byte < 128 ? byte : upper.charCodeAt(byte - 128)))
}

// As Unicode has them: https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/PC/. Windows still calls them its OEM code pages.
const CODE_PAGE_437 = codePage(
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
)
const CODE_PAGE_850 = codePage(
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
)
const CODE_PAGE_852 = codePage(
  'ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u00ad˝˛ˇ˘§÷¸°¨˙űŘř■\u00a0',
)
const CODE_PAGES = new Map([
  ['ibm437', CODE_PAGE_437],
  ['ibm850', CODE_PAGE_850],
  ['ibm852', CODE_PAGE_852],
  // 850 with the euro in the place of the dotless i.
  ['ibm858', CODE_PAGE_850.with(0xd5, 0x20ac)],
])
