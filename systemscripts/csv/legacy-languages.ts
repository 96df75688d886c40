/** A language in the code page that its files come in. */
export interface Language {
  label: string
  /** How usual it is to meet a file like that, beside the others. */
  prior: number
  /** Of each letter beyond ASCII, in lower case, the logarithm of its share among such letters. */
  letters: Map<string, number>
  /** The script of its letters when that is not Latin. */
  script: string | null
}

/**
 * Letters by their share in percent, rounded, counted in ordinary prose; what is rare has 0.3. The numbers need not be exact: they tell languages
 * apart by letters that one has and another has not.
 */
const SHARES: { label: string; prior: number; letters: string; script?: string }[] = [
  { label: 'windows-1252', prior: 10, letters: 'ä31 ü36 ö17 ß16' },
  { label: 'windows-1252', prior: 8, letters: 'é56 à14 è11 ê8 ç4 ô2 î2 û2 ù2 â2 ï1 œ0.5 ë0.5 ÿ0.3 æ0.3 ü0.3' },
  { label: 'windows-1252', prior: 8, letters: 'ó27 í24 á20 é16 ñ9 ú5 ü1 ¿1 ¡1 ª0.3 º1' },
  { label: 'windows-1252', prior: 6, letters: 'ã22 ç15 á14 é13 í11 ó8 ê7 õ6 â3 ú3 à2 ô2 ü0.3 º1 ª1' },
  { label: 'windows-1252', prior: 6, letters: 'à33 è30 ù13 ì11 ò11 é8 ú0.3 í0.3 î0.3 º1' },
  { label: 'windows-1252', prior: 6, letters: 'å28 ä45 ö35 é2 ü0.5' },
  { label: 'windows-1252', prior: 5, letters: 'ø40 å39 æ29 é2 ö0.5 ä0.5 ô0.3 ò0.3' },
  { label: 'windows-1252', prior: 5, letters: 'ë42 é33 ï13 ö5 ü5 è4 ê2 á1 ç0.5 ô0.3' },
  { label: 'windows-1252', prior: 1, letters: 'í20 ð24 á18 þ13 é6 ö8 ó9 æ8 ú6 ý3' },
  { label: 'windows-1250', prior: 4, letters: 'ą14 ć6 ę15 ł25 ń3 ó12 ś9 ź1 ż11' },
  { label: 'windows-1250', prior: 4, letters: 'á18 č9 ď0.5 é12 ě13 í23 ň1 ó0.5 ř9 š7 ť0.5 ú2 ů5 ý8 ž8 ö0.3 ü0.3' },
  { label: 'windows-1250', prior: 3, letters: 'á26 ä1 č13 ď2 é11 í14 ĺ0.3 ľ5 ň2 ó2 ô3 ŕ0.3 š10 ť5 ú10 ý12 ž12' },
  { label: 'windows-1250', prior: 4, letters: 'á33 é34 í6 ó10 ö10 ő9 ú3 ü6 ű3' },
  { label: 'windows-1250', prior: 3, letters: 'ă42 â11 î22 ş16 ţ15 á0.3 é0.3' },
  { label: 'windows-1250', prior: 3, letters: 'č38 š33 ž22 ć14 đ5' },
  { label: 'windows-1254', prior: 3, letters: 'ı43 ş14 ü15 ğ9 ç9 ö6 â0.5 î0.3 û0.3 i̇0.3' },
  { label: 'windows-1257', prior: 1.5, letters: 'ė21 š17 ų15 į9 ž11 ū8 ą10 č5 ę4' },
  { label: 'windows-1257', prior: 1.5, letters: 'ā40 ī19 ē18 š8 ū6 ņ6 ļ4 ž3 č1 ķ2 ģ1' },
  { label: 'windows-1257', prior: 1, letters: 'ä35 õ33 ü22 ö8 š1 ž0.5' },
  ...['windows-1251', 'koi8-r', 'ibm866'].map((label) => ({
    label,
    prior: label === 'windows-1251' ? 4 : 1,
    letters:
      'о11 е8.5 а8 и7.4 н6.7 т6.3 с5.5 р4.7 в4.5 л4.4 к3.5 м3.2 д3 п2.8 у2.6 я2 ы1.9 ь1.7 г1.7 з1.6 б1.6 ч1.4 й1.2 х1 ж0.9 ш0.7 ю0.6 ц0.5 щ0.4 э0.3 ф0.3 ъ0.3 ё0.3 №0.5',
    script: 'Cyrillic',
  })),
  {
    label: 'windows-1251',
    prior: 3,
    letters:
      'о9.4 а7.2 н6.5 и6.1 і5.7 т5.5 в5.2 р4.7 е4.6 с4.1 к3.5 л3.6 у3.4 д3.4 п2.9 м3 я2.5 з2.1 ь2.9 г1.6 ч1.2 б1.8 х1.2 ц0.7 ю1 ж0.7 й1.4 ш0.8 щ0.5 ї0.6 є0.6 ф0.3 ґ0.3',
    script: 'Cyrillic',
  },
  {
    label: 'windows-1253',
    prior: 3,
    letters:
      'α12 ο9.8 ι9.4 ε8 τ8 ς4.9 ν7.9 η5 υ4.3 ρ4.1 π4 κ4.2 σ4.9 μ3.3 λ2.6 δ1.7 γ2 θ1.3 χ1.2 φ1.2 ω2 β0.8 ξ0.6 ζ0.5 ψ0.3 ά2 έ1.7 ή1.5 ί2.5 ό2 ύ1 ώ1',
    script: 'Greek',
  },
]

export const LANGUAGES: Language[] = SHARES.map(({ label, prior, letters, script = null }) => ({
  label,
  prior,
  script,
  letters: new Map(letters.split(' ').map((share) => [share.slice(0, 1), Math.log(Number(share.replace(/^[^\d.]+/u, '')) / 100)])),
}))
