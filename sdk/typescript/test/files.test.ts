import assert from 'node:assert/strict'
import { test } from 'node:test'

import { CHUNK_BYTES, FileHasher, Refused, Sm3, checkFile, hashFile } from '@zhulian/verify'

import { checks, file, network, receipt } from './vectors'

for (const check of checks) {
  const { receipt: name, file: given } = check
  test(`check: ${name}, ${given.generated ?? given.hex} changed at ${given.flips.map(([at]) => at).join() || 'nowhere'}`, async () => {
    const source = new Blob([file(given) as BlobPart])
    const found = await checkFile(network, receipt(name), source)
    assert.equal(found.answer, check.answer)
    const mismatch = found.answer === 'mismatch' ? found.mismatch : { fields: [], chunks: null }
    assert.deepEqual({ fields: mismatch.fields, chunks: mismatch.chunks }, { fields: check.fields, chunks: check.chunks })
  })
}

test('a refused receipt gives no answer, and reads no file', async () => {
  async function* untouched(): AsyncGenerator<Uint8Array> {
    yield assert.fail('the file was read')
  }
  const broken = receipt('eddsa')
  broken[100]! ^= 1
  await assert.rejects(checkFile(network, broken, untouched()), Refused)
})

test('bytes, blobs and streams of any pieces hash alike, and progress is told', async () => {
  const content = file({ generated: 2 * CHUNK_BYTES + 7, flips: [] })
  const whole = await hashFile(content)
  assert.equal(whole.chunks.length, 3)
  let done = 0
  assert.deepEqual(await hashFile(new Blob([content as BlobPart]), bytes => { done = bytes }), whole)
  assert.equal(done, content.length)
  for (const size of [65_537, CHUNK_BYTES - 1, CHUNK_BYTES + 1]) {
    const hasher = new FileHasher()
    for (let at = 0; at < content.length; at += size) hasher.update(content.subarray(at, at + size))
    assert.deepEqual(hasher.finish(), whole)
  }
})

test('SM3 gives the digests of GB/T 32905-2016, appendix A', () => {
  const hex = (text: string) => Buffer.from(new Sm3().update(Buffer.from(text)).digest()).toString('hex')
  assert.equal(hex('abc'), '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0')
  assert.equal(hex('abcd'.repeat(16)), 'debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732')
  assert.equal(hex(''), '1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b')
})
