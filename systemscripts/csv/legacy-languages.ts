/** A language in a code page that its files come in. */
export interface Language {
  label: string
  /** How usual it is to meet a file like that, beside the others. */
  prior: number
  /** Of each letter beyond ASCII, in lower case, the logarithm of its share among such letters. */
  letters: Map<string, number>
  /** The script of its letters when that is not Latin. */
  script: string | null
}

/** Code pages, the one of Windows first, and how usual each is for the language. */
const western = (prior: number) => ({ 'windows-1252': prior, 'iso-8859-15': prior / 10, ibm850: prior / 20, macintosh: prior / 30 })
const central = (prior: number) => ({ 'windows-1250': prior, 'iso-8859-2': prior / 3, ibm852: prior / 10 })

/**
 * Letters by their share in percent, rounded, counted in ordinary prose; what is rare has 0.3. The numbers need not be exact: they tell languages
 * apart by letters that one has and another has not. English has few but the signs of typesetters.
 */
const SHARES: { pages: Record<string, number>; letters: string; script?: string }[] = [
  { pages: western(10), letters: 'ä31 ü36 ö17 ß16' },
  { pages: western(8), letters: 'é56 à14 è11 ê8 ç4 ô2 î2 û2 ù2 â2 ï1 œ0.5 ë0.5 ÿ0.3 æ0.3 ü0.3' },
  { pages: western(8), letters: 'ó27 í24 á20 é16 ñ9 ú5 ü1 ¿1 ¡1 ª0.3 º1' },
  { pages: western(6), letters: 'ã22 ç15 á14 é13 í11 ó8 ê7 õ6 â3 ú3 à2 ô2 ü0.3 º1 ª1' },
  { pages: western(6), letters: 'à33 è30 ù13 ì11 ò11 é8 ú0.3 í0.3 î0.3 º1' },
  { pages: western(6), letters: 'å28 ä45 ö35 é2 ü0.5' },
  { pages: western(5), letters: 'ø40 å39 æ29 é2 ö0.5 ä0.5 ô0.3 ò0.3' },
  { pages: western(5), letters: 'ë42 é33 ï13 ö5 ü5 è4 ê2 á1 ç0.5 ô0.3' },
  { pages: western(1), letters: 'í20 ð24 á18 þ13 é6 ö8 ó9 æ8 ú6 ý3' },
  { pages: { 'windows-1252': 8 }, letters: '’45 “11 ”11 –10 £8 é6 —3 ‘2 …2 €2' },
  { pages: central(4), letters: 'ą14 ć6 ę15 ł25 ń3 ó12 ś9 ź1 ż11' },
  { pages: central(4), letters: 'á18 č9 ď0.5 é12 ě13 í23 ň1 ó0.5 ř9 š7 ť0.5 ú2 ů5 ý8 ž8 ö0.3 ü0.3' },
  { pages: central(3), letters: 'á26 ä1 č13 ď2 é11 í14 ĺ0.3 ľ5 ň2 ó2 ô3 ŕ0.3 š10 ť5 ú10 ý12 ž12' },
  { pages: central(4), letters: 'á33 é34 í6 ó10 ö10 ő9 ú3 ü6 ű3' },
  { pages: central(3), letters: 'ă42 â11 î22 ş16 ţ15 á0.3 é0.3' },
  { pages: central(3), letters: 'č38 š33 ž22 ć14 đ5' },
  { pages: { 'windows-1254': 3 }, letters: 'ı43 ş14 ü15 ğ9 ç9 ö6 â0.5 î0.3 û0.3 İ3' },
  { pages: { 'windows-1257': 1.5 }, letters: 'ė21 š17 ų15 į9 ž11 ū8 ą10 č5 ę4' },
  { pages: { 'windows-1257': 1.5 }, letters: 'ā40 ī19 ē18 š8 ū6 ņ6 ļ4 ž3 č1 ķ2 ģ1' },
  { pages: { 'windows-1257': 1 }, letters: 'ä35 õ33 ü22 ö8 š1 ž0.5' },
  {
    pages: { 'windows-1251': 4, 'koi8-r': 1, ibm866: 1, 'iso-8859-5': 0.2, 'x-mac-cyrillic': 0.1 },
    letters:
      'о11 е8.5 а8 и7.4 н6.7 т6.3 с5.5 р4.7 в4.5 л4.4 к3.5 м3.2 д3 п2.8 у2.6 я2 ы1.9 ь1.7 г1.7 з1.6 б1.6 ч1.4 й1.2 х1 ж0.9 ш0.7 ю0.6 ц0.5 щ0.4 э0.3 ф0.3 ъ0.3 ё0.3 №0.5',
    script: 'Cyrillic',
  },
  {
    pages: { 'windows-1251': 3, 'koi8-u': 0.5, 'iso-8859-5': 0.1, 'x-mac-cyrillic': 0.1 },
    letters:
      'о9.4 а7.2 н6.5 и6.1 і5.7 т5.5 в5.2 р4.7 е4.6 с4.1 к3.5 л3.6 у3.4 д3.4 п2.9 м3 я2.5 з2.1 ь2.9 г1.6 ч1.2 б1.8 х1.2 ц0.7 ю1 ж0.7 й1.4 ш0.8 щ0.5 ї0.6 є0.6 ф0.3 ґ0.3',
    script: 'Cyrillic',
  },
  {
    pages: { 'windows-1251': 1, 'iso-8859-5': 0.1 },
    letters:
      'а11.5 о9.6 и9.2 е8.6 н5.5 с5.2 р4.9 т4.3 ј4.2 у3.9 д3.7 к3.6 м3.3 в3.6 л3.3 п2.8 з1.6 г1.7 б1.5 ч1 ш1 ц0.7 ж0.7 ћ0.7 њ0.7 х0.7 љ0.6 ђ0.3 ф0.3 џ0.3',
    script: 'Cyrillic',
  },
  {
    pages: { 'windows-1253': 3, 'iso-8859-7': 1 },
    letters:
      'α12 ο9.8 ι9.4 ε8 τ8 ς4.9 ν7.9 η5 υ4.3 ρ4.1 π4 κ4.2 σ4.9 μ3.3 λ2.6 δ1.7 γ2 θ1.3 χ1.2 φ1.2 ω2 β0.8 ξ0.6 ζ0.5 ψ0.3 ά2 έ1.7 ή1.5 ί2.5 ό2 ύ1 ώ1',
    script: 'Greek',
  },
  {
    pages: { 'windows-1255': 2 },
    letters: 'י11 ו10 ה9 ל7 א6.5 ר6 מ5.5 ב5 ת5 ש5 נ3.5 ם3 ע3 ק2.5 ד2.5 ח2.5 פ2 כ2 ט1.5 ג1.5 ס1.5 צ1.2 ן1.2 ז1 ך0.8 ץ0.4 ף0.4 ₪0.5',
    script: 'Hebrew',
  },
  {
    pages: { 'windows-1256': 2 },
    letters:
      'ا15 ل12 ي7 م6.5 و6 ن6 ر5.5 ت4.5 ب4.5 ة4 ع4 د4 ه3.5 س3 ف3 ك2.5 ق2.5 أ2.5 ح2.5 ج1.5 ش1.3 ص1.2 ط1 خ1 إ1 ى1 ز0.9 ض0.8 ث0.7 ئ0.6 ء0.6 ذ0.6 غ0.6 ظ0.3 ؤ0.3 آ0.3 پ0.3 چ0.3 گ0.3 ژ0.3 ،0.5',
    script: 'Arabic',
  },
  {
    pages: { 'windows-874': 2 },
    letters:
      'า8 น7 ร6.5 ก5.5 อ5.5 เ5 ง4.5 ่4.5 ม4.2 ย4 ั4 ้4 ล3.3 ว3.3 ด3.2 ท3.2 ส3 ิ3 ต2.8 ี2.8 ห2.5 ะ2.5 ป2.3 บ2.2 ค2.2 แ1.8 ุ1.8 จ1.6 พ1.5 ช1.5 ไ1.3 ู1.3 ข1.2 ใ1.2 ื1.2 ์1.2 โ1 ำ1 ็0.8 ผ0.7 ถ0.7 ซ0.6 ธ0.6 ึ0.6 ณ0.5 ศ0.5 ภ0.4 ญ0.3 ฟ0.3 ษ0.3 ฐ0.3 ฉ0.3 ฎ0.3 ฏ0.3 ฤ0.3 ๆ0.3 ฯ0.3 ๊0.3 ๋0.3 ฮ0.3 ฆ0.3 ฌ0.3 ฑ0.3 ฒ0.3 ฬ0.3',
    script: 'Thai',
  },
]

export const LANGUAGES: Language[] = SHARES.flatMap(({ pages, letters, script = null }) => {
  const shares = letters
    .split(' ')
    .map((share): [string, number] => [share.slice(0, 1), Math.log(Number(share.replace(/^[^\d.]+/u, '')) / 100)])
  return Object.entries(pages).map(([label, prior]) => ({ label, prior, script, letters: new Map(shares) }))
})
