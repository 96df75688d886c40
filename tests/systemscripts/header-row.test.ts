import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findHeaderRow } from '../../systemscripts/header-row.ts'

test('the first row of words over data is the header', () => {
  assert.equal(lineFound(['id,name,price', '1,A,2.5', '2,B,3']), 1)
})

test('titles of one cell are passed over, wherever they stand', () => {
  assert.equal(lineFound(['Report', ',,Confidential,,', 'id,name,price,qty,when', '1,A,2.5,3,2024-01-01']), 3)
})

test('a block of several cells above the table is passed over when it ends short of it', () => {
  assert.equal(lineFound(['exported,monday', 'by,us', 'id,name,price', '1,A,2.5', '2,B,3']), 3)
})

test('a header with a blank first name, as data frames are written, is the header', () => {
  assert.equal(lineFound([',name,town', '0,Anna,Graz', '1,Ben,Gent']), 1)
  assert.equal(lineFound([',value', '0,1.5', '1,2.5']), 1)
  assert.equal(lineFound([',name', 'x,Anna', 'y,Ben']), 1)
})

test('a header without a name over its last column stays the header, since the rows below are alike', () => {
  assert.equal(lineFound(['name,town,', 'Anna,Graz,late', 'Ben,Gent,early', 'Cid,Tartu,late']), 1)
})

test('years and dates as names are taken when nothing wordier comes first', () => {
  assert.equal(lineFound(['2021,2022,2023', '5,6,7', '8,9,10']), 1)
  assert.equal(lineFound(['country,2021,2022,2023', 'NO,6,7,8']), 1)
})

test('years as names win over the words below them', () => {
  assert.equal(lineFound(['Grades', 'country,2021,2022,2023', 'Norway,good,fair,good', 'Peru,fair,fair,poor']), 2)
  assert.equal(lineFound(['country,2024-01,2024-02,2024-03', 'Norway,good,fair,good']), 1)
  assert.equal(lineFound(['id,name,year', '1,A,2021', '2,B,2022']), 1)
})

test('a block of junk with blank rows in between is passed over', () => {
  assert.equal(
    lineFound(['ACME Inc.,,,,', 'Page 1 of 9,,,,', ',,,,', 'User: max,,Zone: UTC,,', 'no,item,qty,price,total', '1,a,2,3,6', '2,b,1,4,4']),
    5,
  )
})

test('one column has its name in the first row', () => {
  assert.equal(lineFound(['name', 'Anna', 'Ben']), 1)
})

test('a header over sparse rows is the fullest row and found', () => {
  assert.equal(lineFound(['Stock list', 'a,b,c,d,e,f,g,h', '1,,,,,,,', '2,,,,,,,x', '3,,,,,,,']), 2)
})

function lineFound(lines: string[]): number {
  const sample = lines.map((line, index) => ({ line: index + 1, values: line.split(',').map((value) => value || null) }))
  return findHeaderRow(sample, null, 'file.csv').line
}
