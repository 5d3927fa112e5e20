import assert from 'node:assert/strict'
import { test } from 'node:test'

import { RECEIPT_BYTES_MAX, verifyReceipt } from '@zhulian/verify'

import { bytes, forged, mutated, network, receipt, valid, verdict } from './vectors'

for (const { name, receipt, facts } of valid) {
  test(`valid: ${name}`, () => assert.deepEqual(verifyReceipt(network, bytes(receipt)), facts))
}

for (const { name, base, at, remove, insert, code } of forged) {
  test(`forged: ${name}`, () => {
    const good = receipt(base)
    const inserted = bytes(insert.replace('(65535 zeros)', '00'.repeat(65535)))
    const input = Buffer.concat([good.subarray(0, at), inserted, good.subarray(at + remove)])
    assert.equal(verdict(new Uint8Array(input)), code)
  })
}

for (const base of new Set(mutated.map(([base]) => base))) {
  test(`mutated field by field: ${base}`, () => {
    for (const [name, field, offset, xor, code] of mutated) {
      if (name !== base) continue
      const input = receipt(base)
      input[offset]! ^= xor
      assert.equal(verdict(input), code, `${field} at ${offset} ^ ${xor}`)
    }
  })
}

// The Rust tests change every bit of every kind of receipt; a signature takes longer here.
for (const name of ['es256', 'batch_entry']) {
  test(`every changed byte is refused: ${name}`, () => {
    const input = receipt(name)
    for (let at = 0; at < input.length; at++) {
      const xor = 1 << at % 8
      input[at]! ^= xor
      assert.notEqual(verdict(input), 'accepted', `byte ${at} ^ ${xor}`)
      input[at]! ^= xor
    }
    assert.equal(verdict(input), 'accepted')
  })
}

test('every shorter and longer file is refused', () => {
  const good = receipt('batch_entry')
  for (let length = 0; length < good.length; length++) assert.equal(verdict(good.subarray(0, length)), 'receipt.malformed')
  assert.equal(verdict(new Uint8Array([...good, 0])), 'receipt.malformed')
  assert.equal(verdict(new Uint8Array(RECEIPT_BYTES_MAX + 1)), 'receipt.too_large')
})

test('a receipt of another network is refused', () => {
  assert.equal(verdict(receipt('eddsa'), { ...network, chain: new Uint8Array(32) }), 'transaction.wrong_chain')
  assert.equal(verdict(receipt('eddsa'), { ...network, validators: [] }), 'network.invalid')
  assert.equal(verdict(receipt('eddsa'), { ...network, validators: network.validators.slice(1) }), 'header.unknown_proposer')
})
