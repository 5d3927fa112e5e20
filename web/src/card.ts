/** The answer as a card: a sentence first, four facts, what to take away, and technical details last. */
import { certificateUrl, type EvidenceView } from './api.js';
import { getLanguage, text, time, type Text } from './text.js';

/** One answer about one file. */
export interface Shown {
  kind: 'verified' | 'not_deposited' | 'mismatch' | 'record' | 'other' | 'unproven' | 'refused' | 'distrusted' | 'undecided' | 'failed';
  /** Name of the file; empty when only a number or a receipt is known. */
  file: string;
  /** Name of a receipt that was given without its file. */
  receiptFile?: string;
  /** More words, in both languages. */
  zh?: string;
  en?: string;
  /** The node's word, only beside a receipt of the same number: all that is taken from it is what no receipt tells. */
  evidence?: EvidenceView;
  /** Proven by the receipt, without a word from the server. */
  number?: string | undefined;
  /** The name only where the network identity has it. */
  depositor?: { code: string; name: string | undefined } | undefined;
  /** Without an index the batch as a whole. */
  batch?: { index: number | undefined; count: number } | undefined;
  /** Names of the validators that signed, known only after the receipt was verified here. */
  signers?: string[];
  height?: number;
  time_ms?: number;
  transaction?: string;
  sha256?: string | undefined;
  chunks?: number[] | undefined;
  receipt?: Uint8Array;
}

const MARK: Record<Shown['kind'], string> = {
  verified: '✓', not_deposited: '?', mismatch: '✗', record: 'i', other: 'i', unproven: '?', refused: '✗', distrusted: '✗', undecided: '!', failed: '!',
};
const LEAD: Partial<Record<Shown['kind'], Text>> = {
  verified: 'verifiedLead', not_deposited: 'notDepositedLead', mismatch: 'mismatchLead', record: 'recordLead',
};

function element<K extends keyof HTMLElementTagNameMap>(tag: K, content?: string, className?: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (content !== undefined) made.textContent = content;
  if (className) made.className = className;
  return made;
}

/** Draws a card. */
export function card(shown: Shown): HTMLElement {
  const made = element('article', undefined, `card ${shown.kind}`);
  made.append(verdict(shown), facts(shown));
  const actions = links(shown);
  if (actions.childElementCount) made.append(actions);
  const more = details(shown);
  if (more) made.append(more);
  return made;
}

function verdict(shown: Shown): HTMLElement {
  const head = element('div', undefined, 'verdict');
  const mark = element('div', MARK[shown.kind], 'mark');
  mark.setAttribute('aria-hidden', 'true');
  const words = element('div');
  words.append(element('h2', headline(shown)));
  const lead = LEAD[shown.kind];
  const own = getLanguage() === 'zh' ? shown.zh : shown.en;
  words.append(element('p', own ?? (lead ? text(lead) : '')));
  if (shown.signers) words.append(element('p', text('local'), 'local'));
  head.append(mark, words);
  return head;
}

/** The answer in a word; a deposit that may not be relied on as it is says so here, and not only among the facts. */
function headline(shown: Shown): string {
  const state = shown.evidence?.status;
  if (!state || state === 'in_use' || (shown.kind !== 'verified' && shown.kind !== 'record')) return text(shown.kind);
  return `${text(shown.kind)} · ${status(state)}`;
}

function facts(shown: Shown): HTMLElement {
  const list = element('dl');
  const row = (key: Text, value: string | undefined): void => {
    if (value) list.append(element('dt', text(key)), element('dd', value));
  };
  const zh = getLanguage() === 'zh';
  // What a receipt proves of something else is not told as if it were of the file.
  const deposited = shown.number !== undefined && shown.kind !== 'unproven';
  row('fileName', shown.file);
  row('receiptFile', shown.receiptFile);
  if (deposited) row('who', depositor(shown));
  if (shown.time_ms !== undefined && shown.kind !== 'unproven') row(deposited ? 'when' : 'recorded', `${time(shown.time_ms)} (UTC+8)`);
  if (deposited) row('number', shown.number);
  row('status', shown.evidence && deposited ? status(shown.evidence.status) : undefined);
  if (shown.batch && deposited) {
    const { index, count } = shown.batch;
    row('batch', index === undefined ? text('entries', { count }) : text('entry', { n: index + 1, count }));
  }
  if (shown.chunks?.length) row('chunks', runs(shown.chunks).join(zh ? '、' : ', '));
  row('vouched', shown.signers?.join(zh ? '、' : ', '));
  return list;
}

/** The code is proven; the name is that of the network identity, or else the node's word for the same code. */
function depositor({ depositor, evidence }: Shown): string | undefined {
  if (!depositor) return undefined;
  const { code } = depositor;
  const zh = getLanguage() === 'zh';
  if (depositor.name) return zh ? `${depositor.name}（${code}）` : `${depositor.name} (${code})`;
  const said = evidence?.organisation === code ? evidence.organisation_name : '';
  if (!said) return code;
  return zh ? `${said}（${code}；${text('nodeName')}）` : `${said} (${code}; ${text('nodeName')})`;
}

/** Chunks of 1 MiB as runs of the file, at most eight of them. */
function runs(chunks: number[]): string[] {
  const found: [number, number][] = [];
  for (const chunk of chunks) {
    const last = found.at(-1);
    if (last && last[1] === chunk) last[1] = chunk + 1;
    else found.push([chunk, chunk + 1]);
  }
  const named = found.slice(0, 8).map(([from, to]) => `${from}–${to} MiB`);
  return found.length > 8 ? [...named, '…'] : named;
}

function status(code: string): string {
  const names: Record<string, [string, string]> = {
    in_use: ['有效', 'in use'], frozen: ['已由法院冻结', 'frozen by a court'], withdrawn: ['已停止使用（未删除）', 'withdrawn from use (not erased)'],
  };
  return names[code]?.[getLanguage() === 'zh' ? 0 : 1] ?? code;
}

function links(shown: Shown): HTMLElement {
  const actions = element('div', undefined, 'actions');
  // One that is not of the file is not given the file's name.
  if (shown.receipt && shown.kind !== 'unproven') {
    const link = element('a', text('receipt'), 'button');
    link.href = URL.createObjectURL(new Blob([shown.receipt as BlobPart], { type: 'application/cbor' }));
    link.download = `${shown.file || shown.number || 'receipt'}.zlr`;
    actions.append(link);
  }
  if (shown.evidence && (shown.kind === 'verified' || shown.kind === 'record')) {
    const link = element('a', text('certificate'), 'button');
    link.href = certificateUrl(shown.evidence.id);
    actions.append(link);
  }
  return actions;
}

function details(shown: Shown): HTMLElement | undefined {
  const rows: [string, string][] = [];
  const { height, transaction } = shown;
  if (height !== undefined) rows.push([text('height'), String(height)]);
  if (transaction) rows.push([text('transaction'), transaction]);
  if (shown.sha256) rows.push(['SHA-256', shown.sha256]);
  if (!rows.length) return undefined;
  const made = element('details');
  made.append(element('summary', text('details')));
  const list = element('ul');
  for (const [name, value] of rows) {
    const item = element('li', `${name} `);
    item.append(element('code', value));
    list.append(item);
  }
  made.append(list);
  return made;
}
