/**
 * Offline verification of Zhulian receipts, in browsers and Node. The bytes are specified in `docs/receipt-format.md`; the same
 * checks in the same order are made by the Rust crate `zhulian-verify`, and both run over `sdk/vectors`.
 */
export { type Answer, type Field, type Mismatch, checkFile, checkRecord } from './check'
export type { Json } from './cbor'
export { CHUNK_BYTES, FileHasher, type FileSource, type HashedFile, hashFile } from './file'
export { type Network, NETWORK_FORMAT, NetworkError, type Validator, parseNetwork } from './network'
export { type Language, type RefusalCode, Refused, refusalText } from './refusal'
export { RECEIPT_BYTES_MAX, RECEIPT_FORMAT } from './receipt-file'
export { type FileFacts, type Verified, fileOf, verifyReceipt } from './verify'
export { Sm3 } from './sm3'
