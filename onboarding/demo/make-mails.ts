/**
 * Makes the mails of the demo's drop box, the same on every run: `node onboarding/demo/make-mails.ts`. Two warehouses send what was delivered,
 * one of them under a name with letters beyond ASCII; the third mail is nothing to Rota.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface DemoMail {
  name: string
  bytes: Buffer
}

/** The three mails, in memory. */
export function demoMails(): DemoMail[] {
  return [
    { name: 'trondheim.eml', bytes: deliveryMail('Trondheim', 'Ingrid Moe <ingrid.moe@example.com>', 4, trondheim) },
    { name: 'koge.eml', bytes: deliveryMail('Køge', '=?UTF-8?Q?S=C3=B8ren_Dahl?= <soren.dahl@example.net>', 5, koge) },
    { name: 'lunch.eml', bytes: lunchMail() },
  ]
}

const header = 'Delivery Note;Order No;Article Code;Quantity;Weight kg;Received By'
const trondheim = [
  'D-0001;00048012;00037;120;"86,40";Moe',
  'D-0002;00048031;1E5;12;"3,20";Moe',
  'D-0003;00048044;NA;8;"14,00";"Moe; gate 2"',
]
const koge = ['D-0007;00048101;3/4;60;"21,75";Dahl', 'D-0008;00048102;00123;5;"0,90";Ægidius']

/** A text, and a CSV as a spreadsheet in Scandinavia writes it. */
function deliveryMail(town: string, from: string, minute: number, rows: string[]): Buffer {
  const name = `deliveries_${town}.csv`
  return lines(
    ...head(from, `Delivery notes of ${town}, 21.03.2025`, minute),
    'Content-Type: multipart/mixed; boundary="part"',
    '',
    '--part',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'The delivery notes of today are in the file.',
    '',
    '--part',
    'Content-Type: text/csv; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
    '',
    base64(`${[header, ...rows].join('\r\n')}\r\n`).replace(/.{76}/g, '$&\r\n'),
    '--part--',
  )
}

function lunchMail(): Buffer {
  return lines(
    ...head('Ingrid Moe <ingrid.moe@example.com>', 'Lunch on Friday?', 9),
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Half past eleven, as always?',
  )
}

function head(from: string, subject: string, minute: number): string[] {
  return [
    `From: ${from}`,
    'To: deliveries@example.org',
    `Subject: =?UTF-8?B?${base64(subject)}?=`,
    `Date: Fri, 21 Mar 2025 17:0${minute}:00 +0100`,
    `Message-ID: <demo-${minute}@example.com>`,
    'MIME-Version: 1.0',
  ]
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function lines(...all: string[]): Buffer {
  return Buffer.from(`${all.join('\r\n')}\r\n`)
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, 'mails')
  await mkdir(folder, { recursive: true })
  for (const { name, bytes } of demoMails()) {
    await writeFile(join(folder, name), bytes)
    console.log(`${name}  ${bytes.length} bytes`)
  }
}
