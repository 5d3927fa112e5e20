/** Where the page meets the verifier, and the network identity it trusts. */
import { checkRecord, fileOf, type HashedFile, hashFile, type Network, parseNetwork, RECEIPT_BYTES_MAX, Refused, type Verified, verifyReceipt } from '@zhulian/verify';

import * as api from './api.js';
import type { Shown } from './card.js';
import { both } from './text.js';

const PINNED = 'zhulian.network';

/** The identity this browser trusts, with its file. */
export interface Pinned extends Network {
  name: string;
  chain: Network['chain'];
  json: string;
}

/**
 * The identity remembered from the first visit. A site that later shows another one is not believed: trust on first use, and the file can be
 * compared with the one an operator hands out. A site that shows none, since its node is away, is not asked for more.
 */
export async function pinned(): Promise<Pinned> {
  const remembered = memory(() => localStorage.getItem(PINNED));
  const json = await shown().catch((error: unknown) => {
    if (remembered !== null) return remembered;
    throw error;
  });
  if (remembered !== null && remembered !== json) throw failure('changed');
  const network = parsed(json);
  memory(() => localStorage.setItem(PINNED, json));
  return { ...network, json };
}

/** The identity that the site shows. */
async function shown(): Promise<string> {
  const text = await api.network();
  try {
    const answer = JSON.parse(text) as { identity: unknown };
    return `${JSON.stringify(answer.identity, null, 2)}\n`;
  } catch {
    throw failure('noNetwork');
  }
}

function parsed(json: string): Network {
  try {
    return parseNetwork(json);
  } catch {
    throw failure('noNetwork');
  }
}

/** What the browser remembers, if it lets the page remember anything. */
function memory<T>(use: () => T): T {
  try {
    return use();
  } catch {
    throw failure('noMemory');
  }
}

const failure = (key: 'changed' | 'noNetwork' | 'noMemory'): api.Failure => {
  const { zh, en } = both(key);
  return new api.Failure(zh, en);
};

/** A receipt file's bytes; one that is too large to be a receipt is not read. */
export async function receiptBytes(file: File): Promise<Uint8Array> {
  if (file.size > RECEIPT_BYTES_MAX) throw new Refused('receipt.too_large');
  return new Uint8Array(await file.arrayBuffer());
}

/** Hashes a file once; `progress` gets the share that is done. */
export function hash(file: File, progress: (done: number) => void): Promise<HashedFile> {
  return hashFile(file, (bytes) => progress(file.size ? bytes / file.size : 1));
}

/** What the check asks of a hashed file. */
export function asked({ record }: HashedFile): api.FileAsked {
  return { sha256: hex(record.sha256), sm3: hex(record.sm3), size: Number(record.size), chunks_root: hex(record.chunksRoot) };
}

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Crockford's base 32, then the five symbols that only a check character takes (docs/receipt-format.md). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';

/** The number that people know a deposit by: it follows from the transaction's id. */
export function evidenceNumber(transaction: string, entry?: number): string {
  const value = BigInt(`0x${transaction.slice(0, 32)}`);
  const digits = Array.from({ length: 26 }, (_, place) => ALPHABET[Number((value >> BigInt(5 * (25 - place))) & 31n)]).join('');
  const number = `ZL${digits}${ALPHABET[Number(value % 37n)]}`;
  return entry === undefined ? number : `${number}-${entry}`;
}

/** Whether a number that was typed, in any of its spellings, is that of this transaction and entry. */
function isNumber(asked: string, transaction: string, entry?: number): boolean {
  const plain = asked.trim().toUpperCase().replaceAll('-', '');
  const body = (number: string): string => number.slice(2).replaceAll('O', '0').replace(/[IL]/g, '1');
  if (plain.startsWith('ZL')) return body(plain) === body(evidenceNumber(transaction, entry).replaceAll('-', ''));
  return plain === `${transaction.slice(0, 32).toUpperCase()}${entry ?? ''}`;
}

/** What a receipt proves beside the file: who, when, under which number. */
function proven(network: Network, facts: Verified, receipt: Uint8Array): Omit<Shown, 'file' | 'kind'> {
  const event = facts.events.find(({ module, name }) => module === 'evidence' && /deposited$/.test(name))?.data as
    | Record<string, unknown>
    | undefined;
  const code = typeof event?.['3'] === 'string' ? event['3'] : undefined;
  const batch = facts.deposit && 'batch' in facts.deposit ? facts.deposit.batch.count : undefined;
  return {
    number: facts.deposit ? evidenceNumber(facts.transaction, facts.entry?.index) : undefined,
    depositor: code ? { code, name: network.validators.find(({ organisation }) => organisation === code)?.name } : undefined,
    batch: batch === undefined ? undefined : { index: facts.entry?.index, count: batch },
    signers: facts.signers,
    height: facts.height,
    time_ms: facts.time,
    transaction: facts.transaction,
    receipt,
  };
}

/** What a receipt says of a hashed file, checked here against the pinned identity. */
export function checkWithReceipt(network: Network, receipt: Uint8Array, hashed: HashedFile): Omit<Shown, 'file'> {
  return compared(network, verifyReceipt(network, receipt), receipt, hashed);
}

function compared(network: Network, facts: Verified, receipt: Uint8Array, hashed: HashedFile): Omit<Shown, 'file'> {
  const answer = checkRecord(facts, hashed);
  const known = proven(network, facts, receipt);
  if (answer.answer === 'not_deposited') return { ...known, kind: 'unproven', ...why('unproven', facts) };
  const chunks = answer.answer === 'mismatch' ? (answer.mismatch.chunks ?? undefined) : undefined;
  return { ...known, kind: answer.answer, chunks };
}

/** Why a receipt that is good proves no deposit of a file. */
function why(kind: 'other' | 'unproven', facts: Verified): { zh: string; en: string } {
  const { refusal, deposit, module, call } = facts;
  if (refusal) return both(`${kind}Refused`, refusal);
  if (deposit && 'batch' in deposit) {
    return both('unprovenBatch', { number: evidenceNumber(facts.transaction), count: deposit.batch.count });
  }
  return both(`${kind}Call`, { module, call });
}

/** What a receipt proves by itself, when there is no file yet to compare. */
export function readReceipt(network: Network, receipt: Uint8Array): Omit<Shown, 'file'> {
  return read(network, verifyReceipt(network, receipt), receipt);
}

function read(network: Network, facts: Verified, receipt: Uint8Array): Omit<Shown, 'file'> {
  const known = proven(network, facts, receipt);
  if (facts.deposit === null) return { ...known, kind: 'other', ...why('other', facts) };
  const sha256 = fileOf(facts)?.sha256;
  const batch = sha256 === undefined && 'batch' in facts.deposit ? both('recordBatchLead', { count: facts.deposit.batch.count }) : {};
  return { ...known, kind: 'record', sha256, ...batch };
}

/** A receipt that the node gave for a number: believed only if it is the receipt of that number. */
interface Given {
  receipt: Uint8Array;
  evidence: api.EvidenceView;
  /** The number that was asked about, if one was. */
  asked?: string | undefined;
}

/** What the node's receipt says of a hashed file. */
export function checkGiven(network: Network, given: Given, hashed: HashedFile): Omit<Shown, 'file'> {
  const facts = verifyReceipt(network, given.receipt);
  const other = otherThanAsked(facts, given);
  if (other) return other;
  // Asked for by its digest, the file of another digest is no answer.
  if (!given.asked && fileOf(facts)?.sha256 !== hex(hashed.record.sha256)) {
    return { kind: 'distrusted', ...both('otherFile', { proven: evidenceNumber(facts.transaction, facts.entry?.index) }) };
  }
  return { ...compared(network, facts, given.receipt, hashed), evidence: given.evidence };
}

/** What the node's receipt proves by itself. */
export function readGiven(network: Network, given: Given): Omit<Shown, 'file'> {
  const facts = verifyReceipt(network, given.receipt);
  return otherThanAsked(facts, given) ?? { ...read(network, facts, given.receipt), evidence: given.evidence };
}

function otherThanAsked(facts: Verified, { evidence, asked }: Given): Omit<Shown, 'file'> | undefined {
  const number = evidenceNumber(facts.transaction, facts.entry?.index);
  const same = facts.deposit && number === evidence.id && (!asked || isNumber(asked, facts.transaction, facts.entry?.index));
  return same ? undefined : { kind: 'distrusted', ...both('otherNumber', { proven: number, number: asked ?? evidence.id }) };
}
