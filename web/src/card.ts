/** The answer as a card: a sentence first, four facts, what to take away, and technical details last. */
import { certificateUrl, type EvidenceView } from './api.js';
import { getLanguage, text, time, type Text } from './text.js';

/** One answer about one file. */
export interface Shown {
  kind: 'verified' | 'not_deposited' | 'mismatch' | 'record' | 'refused' | 'undecided' | 'failed';
  /** Name of the file; empty when only a number or a receipt is known. */
  file: string;
  /** More words, in both languages. */
  zh?: string;
  en?: string;
  evidence?: EvidenceView;
  /** Proven by the receipt, without a word from the server. */
  number?: string | undefined;
  depositor?: { name: string; code?: string } | '' | undefined;
  entry?: { index: number; count: number } | undefined;
  /** Names of the validators that signed, known only after the receipt was verified here. */
  signers?: string[];
  height?: number;
  time_ms?: number;
  transaction?: string;
  sha256?: string | undefined;
  chunks?: number[] | undefined;
  receipt?: Uint8Array;
}

const MARK = { verified: '✓', not_deposited: '?', mismatch: '✗', record: 'i', refused: '✗', undecided: '!', failed: '!' } as const;
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
  const evidence = shown.evidence;
  row('fileName', shown.file);
  const who = evidence ? { name: evidence.organisation_name, code: evidence.organisation } : shown.depositor || undefined;
  const zh = getLanguage() === 'zh';
  row('who', who && (who.code ? (zh ? `${who.name}（${who.code}）` : `${who.name} (${who.code})`) : who.name));
  const at = shown.time_ms ?? evidence?.time_ms;
  row('when', at === undefined ? undefined : `${time(at)} (UTC+8)`);
  row('number', shown.number ?? evidence?.id);
  row('status', evidence && status(evidence.status));
  if (shown.entry) row('batch', text('entry', { n: shown.entry.index + 1, count: shown.entry.count }));
  if (shown.chunks?.length) row('chunks', runs(shown.chunks).join(zh ? '、' : ', '));
  row('vouched', shown.signers?.join(zh ? '、' : ', '));
  return list;
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
  if (shown.receipt) {
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
  const height = shown.height ?? shown.evidence?.height;
  if (height !== undefined) rows.push([text('height'), String(height)]);
  const transaction = shown.transaction ?? shown.evidence?.transaction;
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
