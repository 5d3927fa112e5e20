/** Where the page meets the verifier, and the network identity it trusts. */
import { checkRecord, type HashedFile, hashFile, type Network, parseNetwork, Refused, verifyReceipt } from '@zhulian/verify';

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

/** What a receipt says of a hashed file, checked here against the pinned identity. */
export function checkWithReceipt(network: Network, receipt: Uint8Array, hashed: HashedFile): Omit<Shown, 'file'> {
  try {
    const answer = checkRecord(verifyReceipt(network, receipt), hashed);
    const { facts } = answer;
    return {
      kind: answer.answer,
      signers: facts.signers,
      height: facts.height,
      time_ms: facts.time,
      transaction: facts.transaction,
      chunks: answer.answer === 'mismatch' ? (answer.mismatch.chunks ?? undefined) : undefined,
      receipt,
    };
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', zh: error.text('zh'), en: error.text('en') };
    throw error;
  }
}
