/** The receipt file (`.zlr`): everything that proves one transaction. */
import { CborError, Reader, decode } from './cbor'
import { demand, readOr } from './refusal'

export const RECEIPT_FORMAT = 'zhulian-receipt/1'
export const RECEIPT_BYTES_MAX = 1 << 20
const HEADERS_MAX = 1024
const CHUNKS_MAX = 4096
const PATH_MAX = 64
const HANDOVERS_MAX = 1024
const FIELDS = 11

/** How one set of validators handed over to the next; each part as it was signed or hashed. */
export interface HandoverBytes {
  header: Uint8Array
  certificate: Uint8Array
  validators: Uint8Array
}

export interface ReceiptFile {
  transaction: Uint8Array
  receipt: Uint8Array
  index: bigint
  transactionsPath: Uint8Array[]
  receiptsPath: Uint8Array[]
  headers: Uint8Array[]
  certificate: Uint8Array
  epochs: HandoverBytes[]
  entry: { bytes: Uint8Array; index: bigint; path: Uint8Array[] } | null
  chunks: Uint8Array[] | null
}

export function decodeReceiptFile(bytes: Uint8Array): ReceiptFile {
  demand(bytes.length <= RECEIPT_BYTES_MAX, 'receipt.too_large')
  return readOr('receipt.malformed', () => {
    const start = new Reader(bytes)
    start.array(FIELDS)
    demand(start.text() === RECEIPT_FORMAT, 'receipt.unknown_format')
    return decode(bytes, read)
  })
}

function read(r: Reader): ReceiptFile {
  r.array(FIELDS)
  r.text()
  const [transaction, receipt, index] = [r.bytes(), r.bytes(), r.uint()]
  const [transactionsPath, receiptsPath] = [digests(r, PATH_MAX), digests(r, PATH_MAX)]
  const headers = list(r, HEADERS_MAX, () => r.bytes())
  if (headers.length === 0) throw new CborError('malformed')
  const certificate = r.bytes()
  const epochs = list(r, HANDOVERS_MAX, () => {
    r.array(3)
    return { header: r.bytes(), certificate: r.bytes(), validators: r.bytes() }
  })
  let entry: ReceiptFile['entry'] = null
  if (!r.takeNull()) {
    r.array(3)
    entry = { bytes: r.bytes(), index: r.uint(), path: digests(r, PATH_MAX) }
  }
  const chunks = r.takeNull() ? null : digests(r, CHUNKS_MAX)
  if (chunks?.length === 0) throw new CborError('malformed')
  return { transaction, receipt, index, transactionsPath, receiptsPath, headers, certificate, epochs, entry, chunks }
}

const digests = (r: Reader, max: number): Uint8Array[] => list(r, max, () => r.bytes(32))

function list<T>(r: Reader, max: number, take: () => T): T[] {
  const count = r.array()
  if (count > max) throw new CborError('malformed')
  return Array.from({ length: count }, take)
}
