/** Every text of the page, Chinese first. */
export type Language = 'zh' | 'en';

const texts = {
  skip: ['跳到核验', 'Skip to the check'],
  title: ['这份文件，链上有没有？', 'Is this document on the ledger?'],
  lead: ['把文件拖进来，立刻得到三种结果之一。文件不会离开您的电脑。', 'Drop a file and get one of three answers at once. The file never leaves your computer.'],
  drop: ['把文件拖到这里，或点击选择', 'Drop a file here, or click to choose'],
  dropHint: ['也可以连同回执（.zlr）一起拖入，不依赖本站核验', 'Add its receipt (.zlr) to verify without trusting this site'],
  haveNumber: ['我有存证编号', 'I have an evidence number'],
  numberLabel: ['存证编号：核对文件与该编号当时存证的内容是否一致', 'Evidence number: compare the file with what was deposited under it'],
  blocks: ['最新区块', 'Latest blocks'],
  footer: ['核验在您的浏览器中完成：签名、默克尔路径与终局证书逐项检查。', 'The check runs in your browser: signatures, Merkle paths and the finality certificate, one by one.'],
  api: ['接口说明 (OpenAPI)', 'API (OpenAPI)'],
  identity: ['网络身份文件', 'Network identity'],
  other: ['English', '中文'],
  hashing: ['正在计算摘要…', 'Computing the digest…'],
  live: ['实时', 'live'],
  reconnecting: ['连接中断，正在重连…', 'Connection lost, reconnecting…'],
  transactions: ['笔', 'tx'],
  verified: ['核验通过', 'Verified'],
  not_deposited: ['该文件尚未存证', 'Not deposited'],
  mismatch: ['与存证内容不一致', 'Does not match what was deposited'],
  record: ['该编号下的存证', 'What was deposited'],
  refused: ['回执无效', 'The receipt is not valid'],
  undecided: ['本节点无法判定', 'This node cannot tell'],
  failed: ['暂时无法核验', 'Cannot check right now'],
  verifiedLead: ['这份文件自存证以来没有改动。', 'This file has not changed since it was deposited.'],
  notDepositedLead: ['链上没有这份文件的存证记录。', 'The ledger holds no deposit of this file.'],
  recordLead: ['回执有效。把文件拖进来，核对它是不是当时存证的那一份。', 'The receipt is good. Drop the file to see whether it is the one that was deposited.'],
  mismatchLead: ['文件与当时存证的内容不同。', 'The file differs from what was deposited.'],
  chunks: ['有改动的位置', 'Changed at'],
  who: ['存证机构', 'Deposited by'],
  when: ['存证时间', 'Deposited at'],
  number: ['存证编号', 'Evidence number'],
  status: ['当前状态', 'Current status'],
  vouched: ['见证节点', 'Vouched for by'],
  receipt: ['下载回执', 'Download the receipt'],
  certificate: ['下载存证证书 (PDF)', 'Download the certificate (PDF)'],
  details: ['详情', 'Technical details'],
  height: ['区块高度', 'Block height'],
  transaction: ['交易标识', 'Transaction'],
  fileName: ['文件', 'File'],
  local: ['✓ 已在本浏览器内独立核验', '✓ verified independently in this browser'],
  batch: ['批次', 'Batch'],
  entry: ['第 {n} 条，共 {count} 条', 'entry {n} of {count}'],
  offline: ['无法连接节点。带上回执仍可核验。', 'The node cannot be reached. With a receipt the check still works.'],
  noNetwork: ['没有可信的网络身份', 'No trusted network identity'],
  changed: ['本站的网络身份与您此前记住的不同，已停止核验。', "This site's network identity differs from the one you pinned; checking has stopped."],
} satisfies Record<string, [string, string]>;

export type Text = keyof typeof texts;

let language: Language = 'zh';

/** The text in the current language, with `{name}` filled in. */
export function text(key: Text, values: Record<string, string | number> = {}): string {
  const found = texts[key][language === 'zh' ? 0 : 1];
  return found.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

export function getLanguage(): Language {
  return language;
}

/** Switches the language and rewrites every element that names a text. */
export function setLanguage(next: Language): void {
  language = next;
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
  document.title = next === 'zh' ? '珠联 · 存证核验' : 'Zhulian · evidence check';
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = text(element.dataset.text as Text);
  }
}

/** Block time, in the city's time zone. */
export function time(ms: number): string {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'medium' });
  return parts.format(new Date(ms));
}
