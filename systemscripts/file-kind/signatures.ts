export interface Signature {
  /** As latin1. */
  bytes: string
  /** Where they stand. Default 0. */
  at?: number
  code: string
  what: string
}

/** Files that are known by bytes at a fixed place and hold no table that Rota reads. */
export const SIGNATURES: Signature[] = [
  { bytes: '%PDF-', code: 'file_is_pdf', what: 'a PDF document' },
  { bytes: '%!PS', code: 'file_is_postscript', what: 'a PostScript document' },
  { bytes: '{\\rtf', code: 'file_is_rtf', what: 'an RTF document' },
  { bytes: 'BZh', code: 'file_is_bzip2', what: 'packed with bzip2' },
  { bytes: '\xfd7zXZ\0', code: 'file_is_xz', what: 'packed with xz' },
  { bytes: '\x28\xb5\x2f\xfd', code: 'file_is_zstd', what: 'packed with zstd' },
  { bytes: '\x04\x22\x4d\x18', code: 'file_is_lz4', what: 'packed with lz4' },
  { bytes: '\x1f\x9d', code: 'file_is_compress', what: 'packed with compress (.Z)' },
  { bytes: '7z\xbc\xaf\x27\x1c', code: 'file_is_7z', what: 'a 7-Zip archive' },
  { bytes: 'Rar!\x1a\x07', code: 'file_is_rar', what: 'a RAR archive' },
  { bytes: 'MSCF\0\0\0\0', code: 'file_is_cab', what: 'a Windows cabinet' },
  { bytes: 'ustar', at: 257, code: 'file_is_tar', what: 'a tar archive' },
  { bytes: '\x89PNG\r\n', code: 'file_is_image', what: 'an image (PNG)' },
  { bytes: '\xff\xd8\xff', code: 'file_is_image', what: 'an image (JPEG)' },
  { bytes: 'GIF8', code: 'file_is_image', what: 'an image (GIF)' },
  { bytes: 'II*\0', code: 'file_is_image', what: 'an image (TIFF)' },
  { bytes: 'MM\0*', code: 'file_is_image', what: 'an image (TIFF)' },
  { bytes: 'WEBP', at: 8, code: 'file_is_image', what: 'an image (WebP)' },
  { bytes: 'ftyphei', at: 4, code: 'file_is_image', what: 'an image (HEIC)' },
  { bytes: 'BM', code: 'file_is_image', what: 'an image (BMP)' },
  { bytes: '\0\0\x01\0', code: 'file_is_image', what: 'an icon' },
  { bytes: '\xd7\xcd\xc6\x9a', code: 'file_is_image', what: 'an image (WMF)' },
  { bytes: 'ftyp', at: 4, code: 'file_is_video', what: 'a video' },
  { bytes: 'PAR1', code: 'file_is_parquet', what: 'a Parquet file' },
  { bytes: 'ORC', code: 'file_is_orc', what: 'an ORC file' },
  { bytes: 'ARROW1\0\0', code: 'file_is_arrow', what: 'an Arrow file' },
  { bytes: 'Obj\x01', code: 'file_is_avro', what: 'an Avro file' },
  { bytes: 'SQLite format 3\0', code: 'file_is_sqlite', what: 'a SQLite database' },
  { bytes: '\0\x01\0\0Standard Jet DB', code: 'file_is_access', what: 'an Access database' },
  { bytes: '\0\x01\0\0Standard ACE DB', code: 'file_is_access', what: 'an Access database' },
  { bytes: '\0\0\x02\0\x06\x04\x06\0', code: 'file_is_lotus', what: 'a Lotus 1-2-3 worksheet' },
  { bytes: '\0\0\x1a\0', code: 'file_is_lotus', what: 'a Lotus 1-2-3 worksheet' },
  { bytes: '\0\x05\x16\x07', code: 'file_is_apple_double', what: 'what macOS keeps beside a file (._name)' },
  { bytes: '\xff\xfe\0\0', code: 'file_is_utf32', what: 'text in UTF-32' },
  { bytes: '\0\0\xfe\xff', code: 'file_is_utf32', what: 'text in UTF-32' },
  { bytes: 'MZ', code: 'file_is_program', what: 'a Windows program' },
  { bytes: '\x7fELF', code: 'file_is_program', what: 'a program' },
]

/** A few letters may begin a text as well: only a binary file is known by them. */
export function isWeak({ bytes }: Signature): boolean {
  return /^[A-Za-z]{1,7}$/.test(bytes)
}
