/** Widths of texts in a font, in units of its size: a text of 10 takes 100 points where the font is 10 points high. */
export interface TextRuler {
  width(text: string): number
  /** The lines of a text in a column of that width, at most so many; broken at blanks where it can be, else anywhere; what is left out ends in "…". */
  lines(text: string, width: number, most: number): string[]
}

/** @param widthOfCharacter asked once for each character */
export function textRuler(widthOfCharacter: (character: string) => number): TextRuler {
  const known = new Map<string, number>()
  return { width, lines }

  function width(text: string): number {
    let sum = 0
    for (const character of text) sum += widthOf(character)
    return sum
  }

  function widthOf(character: string): number {
    const found = known.get(character)
    if (found !== undefined) return found
    const measured = widthOfCharacter(character)
    known.set(character, measured)
    return measured
  }

  function lines(text: string, room: number, most: number): string[] {
    const found: string[] = []
    for (const paragraph of text.split('\n')) {
      if (width(paragraph) <= room) found.push(paragraph)
      else found.push(...broken(paragraph, room, most + 1 - found.length))
      if (found.length > most) return [...found.slice(0, most - 1), `${found[most - 1]?.slice(0, -1)}…`]
    }
    return found
  }

  function broken(paragraph: string, room: number, most: number): string[] {
    const found: string[] = []
    let rest = paragraph
    while (rest !== '' && found.length < most) {
      const fitting = fittingLength(rest, room)
      const blank = fitting < rest.length ? rest.lastIndexOf(' ', fitting) : -1
      const end = blank > 0 ? blank : fitting
      found.push(rest.slice(0, end).trimEnd())
      rest = rest.slice(end).trimStart()
    }
    return found
  }

  /** At least one character. */
  function fittingLength(text: string, room: number): number {
    let sum = 0
    let at = 0
    for (const character of text) {
      sum += widthOf(character)
      if (sum > room && at > 0) return at
      at += character.length
    }
    return at
  }
}
