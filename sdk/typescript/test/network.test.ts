import assert from 'node:assert/strict'
import { test } from 'node:test'

import { NetworkError, parseNetwork } from '@zhulian/verify'

import { identities, identity, networkText } from './vectors'

test('the identity is read', () => {
  const network = parseNetwork(networkText)
  assert.equal(network.validators.length, 4)
  assert.equal(network.chain.length, 32)
})

test('deviations are refused', () => {
  type Validator = Record<string, unknown>
  const changed = (change: (file: Record<string, unknown> & { validators: Validator[] }) => void): string => {
    const file = JSON.parse(networkText)
    change(file)
    return JSON.stringify(file)
  }
  const first = (change: Validator) => changed(file => Object.assign(file.validators[0]!, change))
  const cases = {
    'another format': changed(file => { file.format = 'zhulian-network/2' }),
    'an unknown field': changed(file => { file.extra = 1 }),
    'a doubled field': networkText.replace('{', '{"name": "x",'),
    'a doubled field of a validator': networkText.replace('"public_key"', '"name": "x", "public_key"'),
    'a missing field': changed(file => { delete file.name }),
    'an unknown field of a validator': first({ extra: 1 }),
    'upper-case digits': changed(file => { file.chain = String(file.chain).toUpperCase() }),
    'a short key': first({ public_key: '00' }),
    'a key that is no point': first({ public_key: `02${'0'.repeat(62)}` }),
    'a validator twice': changed(file => { file.validators[0] = file.validators[1]! }),
    'out of order': changed(file => { file.validators.reverse() }),
    'no validators': changed(file => { file.validators = [] }),
    'a number for a name': changed(file => { file.name = 1 }),
    'a list': '[]',
    'not JSON': `${networkText}x`,
    'too much': ' '.repeat((1 << 20) + 1),
  }
  for (const [what, text] of Object.entries(cases)) assert.throws(() => parseNetwork(text), NetworkError, what)
})

for (const vector of identities) {
  test(`identity: ${vector.name}`, () => {
    const input = identity(vector)
    if (!vector.accepted) return assert.throws(() => parseNetwork(input), NetworkError)
    assert.equal(parseNetwork(input).epoch, BigInt(vector.epoch!))
    assert.deepEqual(parseNetwork(new TextDecoder().decode(input)), parseNetwork(input))
  })
}
