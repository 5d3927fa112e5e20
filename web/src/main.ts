/** The page: drop a file, get one of three answers, checked here and not by the server's word. */
import { Refused } from '@zhulian/verify';

import * as api from './api.js';
import { drawBlocks, followBlocks } from './blocks.js';
import { drawTrouble, watchTrouble } from './trouble.js';
import { card, type Shown } from './card.js';
import { both, getLanguage, setLanguage, text } from './text.js';
import { asked, checkGiven, checkWithReceipt, hash, hex, pinned, type Pinned, readGiven, readReceipt, receiptBytes } from './verifier.js';

const RECEIPT = /\.zlr$/i;
let shown: Shown[] = [];
let run = 0;
let network: Pinned | undefined;

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

function draw(): void {
  byId('answer').replaceChildren(...shown.map(card));
  byId('language').textContent = text('language');
  byId('network').textContent = network ? `${network.name} · ${hex(network.chain).slice(0, 16)}` : '';
  drawBlocks();
  drawTrouble();
}

function progress(done: number | undefined): void {
  const bar = byId<HTMLProgressElement>('progress');
  bar.hidden = done === undefined;
  bar.value = done ?? 0;
  bar.setAttribute('aria-label', text('hashing'));
}

/** Begins an answer: what an earlier question is answered from then on is shown no more. */
function begin(): (cards: Shown[]) => void {
  run += 1;
  const own = run;
  const show = (cards: Shown[]): void => {
    if (own !== run) return;
    shown = [...cards];
    draw();
  };
  show([]);
  return show;
}

/**
 * Answers for a set of dropped files; a receipt among them belongs to the file it is named after, or to the only file. One that belongs
 * to none is told by itself.
 */
async function take(files: File[]): Promise<void> {
  const show = begin();
  const own = run;
  const receipts = files.filter((file) => RECEIPT.test(file.name));
  const documents = files.filter((file) => !RECEIPT.test(file.name));
  const used = new Set<File>();
  const cards: Shown[] = [];
  for (const document of documents) {
    const named = receipts.find((receipt) => receipt.name.replace(RECEIPT, '') === document.name)
      ?? (documents.length === 1 ? receipts[0] : undefined);
    if (named) used.add(named);
    const advance = (done: number): void => { if (own === run) progress(done); };
    cards.push(await answer(document, named, advance).catch((error: unknown) => failure({ file: document.name }, error)));
    if (own !== run) return;
    show(cards);
  }
  cards.push(...(await Promise.all(receipts.filter((receipt) => !used.has(receipt)).map(alone))));
  if (own !== run) return;
  progress(undefined);
  show(cards);
}

/** A receipt without its file: what it proves, and a request for the file. */
async function alone(file: File): Promise<Shown> {
  const of = { file: '', receiptFile: file.name };
  try {
    network ??= await pinned();
    return { ...readReceipt(network, await receiptBytes(file)), ...of };
  } catch (error) {
    return failure(of, error);
  }
}

/** The address on a certificate's code: shows the deposit of that number, and holds the number ready for the file. */
async function linked(id: string): Promise<void> {
  const show = begin();
  const field = byId<HTMLInputElement>('number');
  field.value = id;
  field.closest('details')!.open = true;
  try {
    network ??= await pinned();
    const [evidence, receipt] = await Promise.all([api.evidence(id), api.receipt(id)]);
    const one: Shown = { ...readGiven(network, { receipt, evidence, asked: id }), file: '' };
    // No file is a batch as a whole: it is found by its digest, as the entry that it is.
    if (one.batch && one.batch.index === undefined && field.value === id) field.value = '';
    show([one]);
  } catch (error) {
    show([failure({ file: '' }, error, id)]);
  }
}

function failure(of: Pick<Shown, 'file' | 'receiptFile'>, error: unknown, number?: string): Shown {
  if (error instanceof Refused) return { ...of, kind: 'refused', zh: error.text('zh'), en: error.text('en') };
  if (error instanceof api.Failure) {
    const about = number !== undefined && api.NO_NUMBER.includes(error.code ?? '') ? both('badNumber', { number })
      : number !== undefined && error.code === api.NO_SUCH_NUMBER ? both('noSuchNumber', { number })
      : { zh: error.zh, en: error.en };
    return { ...of, kind: error.code === api.LACKING ? 'undecided' : 'failed', ...about };
  }
  // What the browser throws at reading, of a folder too.
  if (error instanceof DOMException) return { ...of, kind: 'failed', ...both('unreadable') };
  return { ...of, kind: 'failed', ...both('unexpected', { what: String(error) }) };
}

async function answer(document: File, receiptFile: File | undefined, advance: (done: number) => void): Promise<Shown> {
  const pin = (network ??= await pinned());
  const hashed = await hash(document, advance);
  const file = asked(hashed);
  const of = { file: document.name, sha256: file.sha256 };
  if (receiptFile) return { ...checkWithReceipt(pin, await receiptBytes(receiptFile), hashed), ...of };
  const number = byId<HTMLInputElement>('number').value.trim();
  const found = await api.check(file, number || undefined).catch((error: unknown) => failure(of, error, number || undefined));
  if ('kind' in found) return found;
  const [first] = found.evidence;
  if (number && first?.batch_count !== undefined && first.entry === undefined) {
    return { ...of, kind: 'unproven', ...both('unprovenNumberBatch', { number, count: first.batch_count }) };
  }
  if (!first || found.answer === 'not_deposited') {
    return number ? { ...of, kind: 'unproven', ...both('unprovenNumber', { number }) } : { ...of, kind: 'not_deposited' };
  }
  // The server's word is not enough: fetch the receipts and let them speak. Anyone may have deposited wrong facts beside a file's digest,
  // so the file is another one only if that is what every one of them says.
  let told: Shown | undefined;
  for (const evidence of found.evidence) {
    const one = await api.receipt(evidence.id)
      .then((receipt): Shown => ({ ...checkGiven(pin, { receipt, evidence, asked: number || undefined }, hashed), ...of }))
      .catch((error: unknown) => failure(of, error, evidence.id));
    if (one.kind === 'verified') return one;
    if (!told || (told.kind === 'mismatch' && one.kind !== 'mismatch')) told = one;
  }
  return told!;
}

function listen(): void {
  const drop = byId('drop');
  const input = byId<HTMLInputElement>('file');
  input.addEventListener('change', () => { void take([...(input.files ?? [])]).then(() => { input.value = ''; }); });
  for (const name of ['dragenter', 'dragover']) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add('over'); });
  }
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    void take([...(event.dataTransfer?.files ?? [])]);
  });
  byId('language').addEventListener('click', () => { setLanguage(getLanguage() === 'zh' ? 'en' : 'zh'); draw(); });
}

setLanguage(navigator.language.startsWith('zh') || !navigator.language.startsWith('en') ? 'zh' : 'en');
listen();
draw();
void followBlocks();
void watchTrouble(drawBlocks);
void pinned().then(
  (found) => {
    network = found;
    const link = byId<HTMLAnchorElement>('identity');
    link.href = URL.createObjectURL(new Blob([found.json], { type: 'application/json' }));
    draw();
    const id = new URLSearchParams(location.search).get('id')?.trim();
    if (id) void linked(id);
  },
  (error: unknown) => { begin()([failure({ file: '' }, error)]); },
);
