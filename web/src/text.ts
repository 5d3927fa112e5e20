/** Every text of the page, Chinese first. */
export type Language = 'zh' | 'en';

const texts = {
  skip: ['跳到核验', 'Skip to the check'],
  title: ['这份文件，链上有没有？', 'Is this document on the ledger?'],
  lead: ['把文件拖进来，立刻得到三种结果之一。文件不会离开您的电脑。', 'Drop a file and get one of three answers at once. The file never leaves your computer.'],
  drop: ['把文件拖到这里，或点击选择', 'Drop a file here, or click to choose'],
  dropHint: ['也可以连同回执（.zlr）一起拖入，无须查询本站的账本', "Add its receipt (.zlr) to verify without asking this site's ledger"],
  haveNumber: ['我有存证编号', 'I have an evidence number'],
  numberLabel: ['存证编号：核对文件与该编号当时存证的内容是否一致', 'Evidence number: compare the file with what was deposited under it'],
  blocks: ['最新区块', 'Latest blocks'],
  footer: ['核验在您的浏览器中完成：签名、默克尔路径与终局证书逐项检查。', 'The check runs in your browser: signatures, Merkle paths and the finality certificate, one by one.'],
  api: ['接口说明 (OpenAPI)', 'API (OpenAPI)'],
  identity: ['网络身份文件', 'Network identity'],
  language: ['English', '中文'],
  hashing: ['正在计算摘要…', 'Computing the digest…'],
  live: ['实时', 'live'],
  stalled: ['已停滞，原因如下：', 'No new blocks, because:'],
  reconnecting: ['连接中断，正在重连…', 'Connection lost, reconnecting…'],
  transactions: ['笔', 'tx'],
  verified: ['核验通过', 'Verified'],
  not_deposited: ['该文件尚未存证', 'Not deposited'],
  mismatch: ['与存证内容不一致', 'Does not match what was deposited'],
  record: ['该编号下的存证', 'What was deposited'],
  refused: ['回执无效', 'The receipt is not valid'],
  undecided: ['本节点无法判定', 'This node cannot tell'],
  failed: ['暂时无法核验', 'Cannot check right now'],
  other: ['回执有效，但不是存证', 'A good receipt, but of no deposit'],
  unproven: ['不能证明该文件已存证', 'No proof that this file is deposited'],
  distrusted: ['本节点的答复不予采信', 'The answer of this node is not believed'],
  verifiedLead: ['这份文件自存证以来没有改动。', 'This file has not changed since it was deposited.'],
  notDepositedLead: ['链上没有这份文件的存证记录。', 'The ledger holds no deposit of this file.'],
  recordLead: ['回执有效。把文件拖进来，核对它是不是当时存证的那一份。', 'The receipt is good. Drop the file to see whether it is the one that was deposited.'],
  recordBatchLead: [
    '回执有效，证明一个批次（共 {count} 条）。单个文件在不在其中，请拖入文件查询，或用它自己的条目回执核验。',
    "The receipt is good, and proves a batch of {count} entries. Whether a file is among them is told by dropping the file, or by its own entry's receipt.",
  ],
  otherRefused: [
    '其交易已上链，但被拒绝（原因代码 {module} {number}）：没有存入任何内容。',
    'Its transaction is on the ledger, but was refused (code {module} {number}): nothing was deposited.',
  ],
  otherCall: ['其交易是 {module}.{call}，没有存入文件。', 'Its transaction is {module}.{call}, which deposits no file.'],
  unprovenRefused: [
    '该回执有效，但其交易被拒绝（原因代码 {module} {number}），没有存入任何内容。请用该文件自己的回执，或只拖入文件查询。',
    "The receipt is good, but its transaction was refused (code {module} {number}) and deposited nothing. Use the file's own receipt, or drop the file alone.",
  ],
  unprovenCall: [
    '该回执有效，但其交易是 {module}.{call}，没有存入文件。请用该文件自己的回执，或只拖入文件查询。',
    "The receipt is good, but its transaction is {module}.{call}, which deposits no file. Use the file's own receipt, or drop the file alone.",
  ],
  unprovenBatch: [
    '该回执证明一个批次（编号 {number}，共 {count} 条），不能说明这份文件在不在其中。请用该文件的条目回执，或只拖入文件查询。',
    "The receipt proves a batch (number {number}, {count} entries), and does not tell whether this file is among them. Use the receipt of the file's own entry, or drop the file alone.",
  ],
  unprovenNumberBatch: [
    '编号 {number} 是一个批次（共 {count} 条），不能说明这份文件在不在其中。请清空编号后重查，或用该文件的条目回执核验。',
    "The number {number} is that of a batch ({count} entries), and does not tell whether this file is among them. Clear the number and ask again, or use the receipt of the file's own entry.",
  ],
  unprovenNumber: [
    '本节点没有编号为 {number} 的存证；这不说明该文件没有存证。请核对编号，或清空编号后重查。',
    'This node has no deposit of number {number}; that does not tell that the file is not deposited. Look at the number again, or clear it and ask without one.',
  ],
  noSuchNumber: ['本节点没有编号为 {number} 的存证。请核对编号。', 'This node has no deposit of number {number}. Look at the number again.'],
  badNumber: [
    '“{number}”不是存证编号：应为 ZL 及其后 27 个字符，批次条目另加“-序号”。',
    '“{number}” is no evidence number: it is ZL and 27 characters, with “-n” for an entry of a batch.',
  ],
  otherNumber: [
    '节点给出的回执属于编号 {proven}，不属于 {number}，未予采信。请换一个节点，或用您自己的回执核验。',
    'The receipt that the node gave is that of number {proven}, and not of {number}, so it is not believed. Ask another node, or use a receipt of your own.',
  ],
  otherFile: [
    '节点给出的回执（编号 {proven}）属于另一份文件，未予采信。请换一个节点，或用您自己的回执核验。',
    'The receipt that the node gave (number {proven}) is of another file, so it is not believed. Ask another node, or use a receipt of your own.',
  ],
  mismatchLead: ['文件与当时存证的内容不同。', 'The file differs from what was deposited.'],
  chunks: ['有改动的位置', 'Changed at'],
  who: ['存证机构', 'Deposited by'],
  when: ['存证时间', 'Deposited at'],
  number: ['存证编号', 'Evidence number'],
  recorded: ['上链时间', 'On the ledger since'],
  nodeName: ['名称据本节点', "name by this node's word"],
  status: ['当前状态（据本节点）', "Current status (this node's word)"],
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
  entries: ['共 {count} 条', '{count} entries'],
  receiptFile: ['回执文件', 'Receipt file'],
  noNetwork: [
    '本站没有给出有效的网络身份，此浏览器也未曾记住，无法核验。请稍后重试，或用 zhulian verify 离线核验。',
    'This site gave no valid network identity and this browser remembers none, so nothing can be checked. Try again later, or verify offline with zhulian verify.',
  ],
  noMemory: [
    '浏览器不允许本站保存数据，网络身份无从记住和比对，已停止核验。请允许本站保存数据后刷新，或用 zhulian verify 离线核验。',
    'The browser does not let this site keep data, so the network identity can be neither remembered nor compared, and checking has stopped. Allow it and reload, or verify offline with zhulian verify.',
  ],
  unreadable: [
    '无法读取。如果是文件夹，请拖入其中的文件；如果文件刚被改动或移走，请重新选择。',
    'It cannot be read. Of a folder, drop the files in it; a file that has just been changed or moved away has to be chosen again.',
  ],
  unexpected: ['页面出错（{what}）。请刷新后重试。', 'The page failed ({what}). Reload it and try again.'],
  away: ['本节点自 {time} 起没有应答。', 'This node does not answer since {time}.'],
  awayRemedy: ['页面会继续询问。带上回执的核验不受影响；也可换一个节点的网页。', 'The page goes on asking. A check with a receipt still works; so does the page of another node.'],
  changed: ['本站的网络身份与您此前记住的不同，已停止核验。', "This site's network identity differs from the one you pinned; checking has stopped."],
} satisfies Record<string, [string, string]>;

export type Text = keyof typeof texts;

let language: Language = 'zh';

/** The text in the current language, with `{name}` filled in. */
export function text(key: Text, values: Record<string, string | number> = {}): string {
  return both(key, values)[language];
}

/** The text in both languages, for what is shown again after a change of language. */
export function both(key: Text, values: Record<string, string | number> = {}): { zh: string; en: string } {
  return { zh: filled(texts[key][0], values), en: filled(texts[key][1], values) };
}

const filled = (found: string, values: Record<string, string | number>): string =>
  found.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));

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
