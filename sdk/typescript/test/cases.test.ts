import assert from 'node:assert/strict'
import { test } from 'node:test'

import { depositByCase } from '../src/deposit'

// `82.event.call_made` and `84.event.call_made` of crates/modules/src/tests/vectors.txt: a case deposits a file, and another one is refused.
const MADE =
  'a70071424a32303236303131352d303030303031010302646c6f636b037235323333303130304d4a3030303030303441046865766964656e636505676465706f73697406a200a40058206d39eec870a24effe4bccfca294fe13412450f8dc626c7f079ce0e7fdf9751f3015820878343d4ebd552f9122a21c52c6d89e285148af59c0b39cd86215b38c50c84800202035820791c45d1307d9e424b5695e83a99a43c4c689462982b45bd2ad55d7333c31ee101a2000201781be69f90e5b882e7a5a8e68daee58a9ee6b395e7acace4b889e69da1'
const REFUSED =
  'a80071424a32303236303131352d303030303032010302646c6f636b037235323333303130304d4a3030303030303441046865766964656e636505676465706f73697406a200a40058206d39eec870a24effe4bccfca294fe13412450f8dc626c7f079ce0e7fdf9751f3015820878343d4ebd552f9122a21c52c6d89e285148af59c0b39cd86215b38c50c84800202035820791c45d1307d9e424b5695e83a99a43c4c689462982b45bd2ad55d7333c31ee101a2000201781be69f90e5b882e7a5a8e68daee58a9ee6b395e7acace4b889e69da107826865766964656e636508'

const event = (hex: string, name = 'call_made') => [{ module: 'procedure', name, data: new Uint8Array(Buffer.from(hex, 'hex')) }]

test('what a case deposits is read from the call in the receipt', () => {
  const found = depositByCase(event(MADE))
  assert.equal(found?.kind, 'file')
  assert.equal(found?.kind === 'file' && Buffer.from(found.file.sha256).toString('hex'), '6d39eec870a24effe4bccfca294fe13412450f8dc626c7f079ce0e7fdf9751f3')
  assert.equal(depositByCase(event(REFUSED)), null)
  assert.equal(depositByCase(event(MADE, 'progressed')), null)
  assert.throws(() => depositByCase(event(MADE.slice(0, -2))))
})
