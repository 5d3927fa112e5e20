/** Where the page meets the verifier, and the network identity it trusts. */
import { checkRecord, fileOf, type HashedFile, hashFile, type Network, parseNetwork, Refused, type Verified, verifyReceipt } from '@zhulian/verify';

import * as api from './api.js';
import type { Shown } from './card.js';
import { text } from './text.js';

const PINNED = 'zhulian.network';

/** The identity this browser trusts, with its file. */
export interface Pinned extends Network {
  name: string;
  chain: Network['chain'];
  json: string;
}

/**
 * The identity remembered from the first visit. A site that later shows another one is not believed: trust on first use, and the file can be
 * compared with the one an operator hands out.
 */
export async function pinned(): Promise<Pinned> {
  const answer = JSON.parse(await api.network()) as { identity: unknown };
  const json = `${JSON.stringify(answer.identity, null, 2)}\n`;
  const network = parseNetwork(json);
  const remembered = localStorage.getItem(PINNED);
  if (remembered !== null && remembered !== json) throw new api.Failure(text('changed'), text('changed'));
  localStorage.setItem(PINNED, json);
  return { ...network, json };
}

/** Hashes a file once; `progress` gets the share that is done. */
export function hash(file: File, progress: (done: number) => void): Promise<HashedFile> {
  return hashFile(file, (bytes) => progress(file.size ? bytes / file.size : 1));
}

/** Crockford's base 32, then the five symbols that only a check character takes (docs/receipt-format.md). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';

/** The number that people know a deposit by: it follows from the transaction's id. */
export function evidenceNumber(transaction: string, entry?: number): string {
  const value = BigInt(`0x${transaction.slice(0, 32)}`);
  const digits = Array.from({ length: 26 }, (_, place) => ALPHABET[Number((value >> BigInt(5 * (25 - place))) & 31n)]).join('');
  const number = `ZL${digits}${ALPHABET[Number(value % 37n)]}`;
  return entry === undefined ? number : `${number}-${entry}`;
}

/** What a receipt proves beside the file: who, when, under which number. */
function proven(network: Network, facts: Verified, receipt: Uint8Array): Omit<Shown, 'file' | 'kind'> {
  const event = facts.events.find(({ module, name }) => module === 'evidence' && /deposited$/.test(name))?.data as
    | Record<string, unknown>
    | undefined;
  const code = typeof event?.['3'] === 'string' ? event['3'] : undefined;
  const name = network.validators.find(({ organisation }) => organisation === code)?.name;
  const batch = facts.deposit && 'batch' in facts.deposit ? facts.deposit.batch.count : undefined;
  return {
    number: facts.deposit ? evidenceNumber(facts.transaction, facts.entry?.index) : undefined,
    depositor: code && (name ? { name, code } : { name: code }),
    entry: facts.entry && batch !== undefined ? { index: facts.entry.index, count: batch } : undefined,
    signers: facts.signers,
    height: facts.height,
    time_ms: facts.time,
    transaction: facts.transaction,
    receipt,
  };
}

/** What a receipt says of a hashed file, checked here against the pinned identity. */
export function checkWithReceipt(network: Network, receipt: Uint8Array, hashed: HashedFile): Omit<Shown, 'file'> {
  return guarded(() => {
    const answer = checkRecord(verifyReceipt(network, receipt), hashed);
    const chunks = answer.answer === 'mismatch' ? (answer.mismatch.chunks ?? undefined) : undefined;
    return { ...proven(network, answer.facts, receipt), kind: answer.answer, chunks };
  });
}

/** What a receipt proves by itself, when there is no file yet to compare. */
export function readReceipt(network: Network, receipt: Uint8Array): Omit<Shown, 'file'> {
  return guarded(() => {
    const facts = verifyReceipt(network, receipt);
    return { ...proven(network, facts, receipt), kind: 'record', sha256: fileOf(facts)?.sha256 };
  });
}

function guarded(check: () => Omit<Shown, 'file'>): Omit<Shown, 'file'> {
  try {
    return check();
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', zh: error.text('zh'), en: error.text('en') };
    throw error;
  }
}
