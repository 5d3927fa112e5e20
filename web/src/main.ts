/** The page: drop a file, get one of three answers, checked here and not by the server's word. */
import * as api from './api.js';
import { drawBlocks, followBlocks } from './blocks.js';
import { drawTrouble, watchTrouble } from './trouble.js';
import { card, type Shown } from './card.js';
import { getLanguage, setLanguage, text } from './text.js';
import { checkWithReceipt, hash, pinned, type Pinned, readReceipt } from './verifier.js';

const RECEIPT = /\.zlr$/i;
let shown: Shown[] = [];
let network: Pinned | undefined;

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

function draw(): void {
  byId('answer').replaceChildren(...shown.map(card));
  byId('language').textContent = text('other');
  byId('network').textContent = network ? `${network.name} · ${hex(network.chain).slice(0, 16)}` : '';
  drawBlocks();
  drawTrouble();
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

function progress(done: number | undefined): void {
  const bar = byId<HTMLProgressElement>('progress');
  bar.hidden = done === undefined;
  bar.value = done ?? 0;
  bar.setAttribute('aria-label', text('hashing'));
}

/** Answers for a set of dropped files; a receipt among them belongs to the file it is named after, or to the only file. */
async function take(files: File[]): Promise<void> {
  const receipts = files.filter((file) => RECEIPT.test(file.name));
  const documents = files.filter((file) => !RECEIPT.test(file.name));
  shown = [];
  draw();
  if (!documents.length) shown = await Promise.all(receipts.map(alone));
  for (const document of documents) {
    const own = receipts.find((receipt) => receipt.name.replace(RECEIPT, '') === document.name)
      ?? (documents.length === 1 ? receipts[0] : undefined);
    shown.push(await answer(document, own).catch((error: unknown) => failure(document.name, error)));
    draw();
  }
  progress(undefined);
  draw();
}

/** A receipt without its file: what it proves, and a request for the file. */
async function alone(file: File): Promise<Shown> {
  try {
    network ??= await pinned();
    return { ...readReceipt(network, new Uint8Array(await file.arrayBuffer())), file: '' };
  } catch (error) {
    return failure(file.name, error);
  }
}

/** The address on a certificate's code: shows the deposit of that number, and holds the number ready for the file. */
async function linked(id: string): Promise<void> {
  byId<HTMLInputElement>('number').value = id;
  byId('number').closest('details')!.open = true;
  try {
    network ??= await pinned();
    const [evidence, receipt] = await Promise.all([api.evidence(id), api.receipt(id)]);
    shown = [{ ...readReceipt(network, receipt), file: '', evidence }];
  } catch (error) {
    shown = [failure('', error)];
  }
  draw();
}

function failure(file: string, error: unknown): Shown {
  if (error instanceof api.Failure) {
    return { kind: error.code === api.LACKING ? 'undecided' : 'failed', file, zh: error.zh, en: error.en };
  }
  return { kind: 'failed', file, zh: String(error), en: String(error) };
}

async function answer(document: File, receiptFile?: File): Promise<Shown> {
  network ??= await pinned();
  const hashed = await hash(document, progress);
  const sha256 = hex(hashed.record.sha256);
  if (receiptFile) {
    const receipt = new Uint8Array(await receiptFile.arrayBuffer());
    return { ...checkWithReceipt(network, receipt, hashed), file: document.name, sha256 };
  }
  const number = byId<HTMLInputElement>('number').value.trim();
  const found = await api.check(sha256, document.size, number || undefined);
  const evidence = found.evidence[0];
  // The server's word is not enough: fetch the receipt and let it speak.
  if (!evidence || found.answer === 'not_deposited') {
    return { kind: 'not_deposited', file: document.name, sha256 };
  }
  const receipt = await api.receipt(evidence.id);
  return { ...checkWithReceipt(network, receipt, hashed), file: document.name, sha256, evidence, receipt };
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
void watchTrouble();
void pinned().then(
  (found) => {
    network = found;
    const link = byId<HTMLAnchorElement>('identity');
    link.href = URL.createObjectURL(new Blob([found.json], { type: 'application/json' }));
    draw();
    const id = new URLSearchParams(location.search).get('id')?.trim();
    if (id) void linked(id);
  },
  (error: unknown) => { shown = [failure('', error)]; draw(); },
);
