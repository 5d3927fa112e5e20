/** The verification itself, from the transaction up to the validators' signatures. */
import { sha256 } from '@noble/hashes/sha2.js'

import { type Certificate, type Header, decodeCertificate, decodeHeader, decodeOutcome, knowsProtocol } from './block'
import { decodeValidators, finalizeMessage, headerVersion } from './block'
import { equal, hex } from './bytes'
import { type Json, Reader, itemJson } from './cbor'
import { type Deposit, type Entry, type FileRecord, decodeEntry, depositByCase, depositOf } from './deposit'
import { CHUNK_BYTES } from './file'
import { verifySignature } from './keys'
import { leaf, rootFromPath, rootOfLeaves } from './merkle'
import { type Network, isGood, quorum } from './network'
import { type HandoverBytes, type ReceiptFile, decodeReceiptFile } from './receipt-file'
import { Refused, demand, readOr } from './refusal'
import { verifiedTransaction } from './transaction'

/** The record of a file as facts show it: digests in hexadecimal. */
export interface FileFacts {
  sha256: string
  sm3: string
  size: number
  chunks_root: string
}

/**
 * The facts a receipt proves, to whoever trusts the network identity. Digests and keys are hexadecimal, times are milliseconds since
 * 1970-01-01T00:00:00Z; `args` and the data of events are CBOR shown as JSON.
 */
export interface Verified {
  network: string
  chain: string
  transaction: string
  height: number
  time: number
  block: string
  index: number
  transaction_count: number
  signer: { algorithm: string; public_key: string }
  module: string
  call: string
  args: Json
  /** `null` when the transaction was executed, else why it was refused. */
  refusal: { module: string; number: number } | null
  events: { module: string; name: string; data: Json }[]
  /** Name of the validator that proposed the block. */
  proposer: string
  /** Names of the validators that signed the certificate. */
  signers: string[]
  /** How many validators the network has. */
  validators: number
  certified_height: number
  deposit: { file: FileFacts } | { batch: { root: string; count: number } } | null
  entry: { index: number; entry: { file: FileFacts; name_commitment: string | null } } | null
  chunks: string[] | null
}

/** The file that a receipt proves deposited, alone or as an entry of a batch. */
export function fileOf(facts: Verified): FileFacts | null {
  if (facts.deposit !== null && 'file' in facts.deposit) return facts.deposit.file
  return facts.entry?.entry.file ?? null
}

/**
 * Checks a receipt file's bytes against the network identity, trusting nothing else.
 * @throws Refused with the first check that fails
 */
export function verifyReceipt(identity: Network, receipt: Uint8Array): Verified {
  demand(isGood(identity), 'network.invalid')
  const file = decodeReceiptFile(receipt)
  const transaction = verifiedTransaction(file.transaction, identity.chain)
  const outcome = readOr('outcome.malformed', () => decodeOutcome(file.receipt))
  demand(equal(outcome.transaction, transaction.id), 'outcome.of_other')
  demand(outcome.refusal === null || outcome.events.length === 0, 'outcome.contradicts')
  const network = deciding(identity, file)
  const [header, last] = headers(network, file.headers)
  inBlock(file, header)
  const certificate = certified(network, file.certificate, last)

  const { module, call, args } = transaction
  const executed = outcome.refusal === null
  const deposit = executed ? readOr('deposit.malformed', () => depositOf(module, call, args) ?? depositByCase(outcome.events)) : null
  const entry = entryOf(file, deposit)
  checkChunks(file, deposit, entry)
  return {
    network: network.name,
    chain: hex(network.chain),
    transaction: hex(transaction.id),
    height: Number(header.height),
    time: Number(header.time),
    block: hex(header.digest),
    index: Number(file.index),
    transaction_count: Number(header.transactionCount),
    signer: { algorithm: transaction.signer.algorithm, public_key: hex(transaction.signer.bytes) },
    module,
    call,
    args: itemJson(args),
    refusal: outcome.refusal,
    events: outcome.events.map(({ module, name, data }) => ({ module, name, data: itemJson(data) })),
    proposer: proposerOf(network, header)!.name,
    signers: certificate.signatures.map(({ validator }) => network.validators[validator]!.name),
    validators: network.validators.length,
    certified_height: Number(last.height),
    deposit: deposit && depositFacts(deposit),
    entry: entry && { index: Number(file.entry!.index), entry: entryFacts(entry) },
    chunks: file.chunks && file.chunks.map(hex),
  }
}

/** Checks every header and each link; gives the first and the last. */
function headers(network: Network, all: Uint8Array[]): [Header, Header] {
  let ends: [Header, Header] | undefined
  for (const bytes of all) {
    const header = checkedHeader(network, bytes)
    if (ends !== undefined) demand(follows(ends[1], header), 'header.broken_chain')
    ends = [ends?.[0] ?? header, header]
  }
  if (ends === undefined) throw new Refused('receipt.malformed')
  return ends
}

function checkedHeader(network: Network, bytes: Uint8Array): Header {
  const version = readOr('header.malformed', () => headerVersion(new Reader(bytes)))
  demand(knowsProtocol(version), 'header.unknown_version')
  const header = readOr('header.malformed', () => decodeHeader(bytes))
  demand(equal(header.chain, network.chain), 'header.other_network')
  // Of an earlier epoch than that of the validators who are known here.
  demand(header.epoch >= network.epoch, 'header.unknown_epoch')
  demand(proposerOf(network, header) !== undefined, 'header.unknown_proposer')
  return header
}

const proposerOf = (network: Network, header: Header) => network.validators.find(v => equal(v.publicKey, header.proposer))

const follows = (parent: Header, child: Header): boolean =>
  equal(child.parent, parent.digest) &&
  child.height === parent.height + 1n &&
  child.time > parent.time &&
  // An epoch's last block has a certificate of its own, so no proof goes beyond it.
  child.epoch === parent.epoch &&
  child.parentView === parent.view &&
  child.view > parent.view

function inBlock(file: ReceiptFile, header: Header): void {
  const leads = (bytes: Uint8Array, path: Uint8Array[], root: Uint8Array): boolean => {
    const found = rootFromPath(leaf(bytes), file.index, header.transactionCount, path)
    return found !== undefined && equal(found, root)
  }
  demand(leads(file.transaction, file.transactionsPath, header.transactionsRoot), 'proof.transaction')
  demand(leads(file.receipt, file.receiptsPath, header.receiptsRoot), 'proof.outcome')
}

function certified(network: Network, bytes: Uint8Array, last: Header): Certificate {
  const certificate = readOr('certificate.malformed', () => decodeCertificate(bytes))
  demand(finalises(certificate, last), 'certificate.of_other')
  checkSignatures(network, certificate, 'certificate')
  return certificate
}

/**
 * Whether a certificate is for this block and a round in which it can have been finalised: the one in which it was proposed, or a later
 * view of its epoch, since an epoch's last block is proposed again until it is final.
 */
function finalises({ epoch, view, parentView, block }: Certificate, header: Header): boolean {
  const same = view === header.view && parentView === header.parentView
  const again = view > parentView && parentView >= header.view
  return equal(block, header.digest) && epoch === header.epoch && (same || again)
}

function checkSignatures({ validators, chain }: Network, certificate: Certificate, of: 'certificate' | 'handover'): void {
  const { signatures } = certificate
  const distinct = signatures.every(({ validator }, i) => i === 0 || signatures[i - 1]!.validator < validator)
  demand(distinct && signatures.every(({ validator }) => validator < validators.length), `${of}.signers`)
  demand(signatures.length >= quorum(validators.length), `${of}.no_quorum`)
  const message = finalizeMessage(certificate, chain)
  for (const { validator, signature } of signatures) {
    const key = { algorithm: 'EdDSA', bytes: validators[validator]!.publicKey } as const
    demand(verifySignature(key, message, signature), `${of}.bad_signature`)
  }
}

/** The network with the validators that decided the receipt's block: those of the identity, or those to which they handed over. */
function deciding(identity: Network, { epochs }: ReceiptFile): Network {
  let network = identity
  for (const bytes of epochs) {
    // A later identity stands in for what led to it.
    if (endsBefore(bytes, identity.epoch)) continue
    network = followed(network, bytes)
  }
  return network
}

function endsBefore({ header }: HandoverBytes, epoch: bigint): boolean {
  try {
    return decodeHeader(header).epoch < epoch
  } catch {
    return false
  }
}

/** Checks that the validators of a network handed over, and gives the network as it was from then on. */
function followed(network: Network, bytes: HandoverBytes): Network {
  const [header, certificate, validators] = readOr('handover.malformed', () => [
    decodeHeader(bytes.header),
    decodeCertificate(bytes.certificate),
    decodeValidators(bytes.validators),
  ])
  demand(knowsProtocol(header.version), 'handover.malformed')
  demand(equal(header.chain, network.chain), 'handover.other_network')
  demand(header.epoch >= network.epoch && header.epoch < 2n ** 64n - 1n, 'handover.order')
  demand(finalises(certificate, header), 'handover.certificate_of_other')
  checkSignatures(network, certificate, 'handover')
  demand(equal(sha256(bytes.validators), header.validators), 'handover.other_validators')
  const after = { ...network, epoch: header.epoch + 1n, validators }
  // A handover to the same validators would only make receipts longer.
  demand(isGood(after) && !sameValidators(network, after), 'handover.validators')
  return after
}

const sameValidators = (a: Network, b: Network): boolean =>
  a.validators.length === b.validators.length &&
  a.validators.every((v, i) => {
    const w = b.validators[i]!
    return v.name === w.name && v.organisation === w.organisation && equal(v.publicKey, w.publicKey)
  })

function entryOf({ entry: given }: ReceiptFile, deposit: Deposit | null): Entry | null {
  if (given === null) return null
  demand(deposit?.kind === 'batch', 'entry.without_batch')
  const entry = readOr('entry.malformed', () => decodeEntry(given.bytes))
  const root = rootFromPath(leaf(given.bytes), given.index, deposit.count, given.path)
  demand(root !== undefined && equal(root, deposit.root), 'entry.not_in_batch')
  return entry
}

function checkChunks({ chunks }: ReceiptFile, deposit: Deposit | null, entry: Entry | null): void {
  if (chunks === null) return
  const file = deposit?.kind === 'file' ? deposit.file : entry?.file
  demand(file !== undefined, 'chunks.without_file')
  const size = BigInt(CHUNK_BYTES)
  const fits = BigInt(chunks.length) === (file.size + size - 1n) / size && equal(rootOfLeaves(chunks), file.chunksRoot)
  demand(fits, 'chunks.of_other')
}

export function fileFacts({ sha256, sm3, size, chunksRoot }: FileRecord): FileFacts {
  return { sha256: hex(sha256), sm3: hex(sm3), size: Number(size), chunks_root: hex(chunksRoot) }
}

const entryFacts = ({ file, nameCommitment }: Entry) => ({
  file: fileFacts(file),
  name_commitment: nameCommitment && hex(nameCommitment),
})

const depositFacts = (deposit: Deposit) =>
  deposit.kind === 'file'
    ? { file: fileFacts(deposit.file) }
    : { batch: { root: hex(deposit.root), count: Number(deposit.count) } }
