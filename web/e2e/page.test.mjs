// The page in headless Chromium, against a running city: the three answers, the live list, both languages, accessibility.
import assert from 'node:assert/strict';
import { readFile, readdir, mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const url = process.env.ZHULIAN_URL;
const deposited = process.env.ZHULIAN_DEPOSITED; // a file that is on the ledger
const receiptPath = process.env.ZHULIAN_RECEIPT; // its receipt
const withdrawn = process.env.ZHULIAN_WITHDRAWN; // a file that was deposited and withdrawn
const shots = process.env.ZHULIAN_SHOTS;
// Receipts of the verifiers' own tests, with the identity of the network that they are of.
const vectors = new URL('../../sdk/vectors/', import.meta.url);
const vector = async (name) =>
  Buffer.from(JSON.parse(await readFile(new URL('valid.json', vectors), 'utf8')).find((it) => it.name === name).receipt, 'hex');
assert.ok(url && deposited && receiptPath && withdrawn, 'scripts/page.sh sets ZHULIAN_URL, _DEPOSITED, _RECEIPT and _WITHDRAWN');

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  if (shots) await mkdir(shots, { recursive: true });
});
after(() => browser?.close());

async function open(language = 'zh-CN', options = {}) {
  const context = await browser.newContext({ locale: language, viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  await page.goto(url);
  await page.waitForFunction(() => document.getElementById('network').textContent.length > 0);
  return { page, errors, close: () => context.close() };
}

/** axe finds nothing to complain about. */
async function accessible(page) {
  const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), []);
}

/** The page of a gateway that shows the vectors' network. */
async function openVectors(language) {
  const context = await browser.newContext({ locale: language, viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const identity = JSON.parse(await readFile(new URL('network.json', vectors), 'utf8'));
  await page.route('**/v1/network', (route) => route.fulfill({ json: { identity } }));
  await page.goto(url);
  await page.waitForFunction(() => document.getElementById('network').textContent.length > 0);
  return { page, close: () => context.close() };
}

/** A check that the gateway answers with these pieces of evidence, and their receipts. */
async function answering(page, evidence, receipts) {
  await page.route('**/v1/evidence/check', (route) =>
    route.fulfill({ json: { answer: 'verified', zh: '', en: '', evidence, differing: [], height: 1 } }));
  await page.route('**/v1/evidence/*/receipt', (route) => {
    const id = decodeURIComponent(new URL(route.request().url()).pathname.split('/')[3]);
    return route.fulfill({ body: receipts[id], contentType: 'application/cbor' });
  });
}

const drop = (page, files) => page.setInputFiles('#file', files);
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
const shot = (page, name) => (shots ? page.screenshot({ path: `${shots}/${name}.png`, fullPage: true }) : undefined);

test('a deposited file is verified in the browser, with facts and a receipt to take away', async () => {
  const { page, errors, close } = await open();
  await drop(page, [deposited]);
  const card = page.locator('.card.verified');
  await card.waitFor();
  assert.match(await card.innerText(), /核验通过[\s\S]*已在本浏览器内独立核验[\s\S]*存证机构[\s\S]*存证编号/);
  const [download] = await Promise.all([page.waitForEvent('download'), card.getByText('下载回执').click()]);
  const bytes = await readFile(await download.path());
  assert.ok(bytes.length > 500, 'the receipt has bytes');
  await shot(page, 'verified-zh');
  assert.deepEqual(errors, []);
  await close();
});

test('a receipt alone tells who, when and under which number, and asks for the file', async () => {
  const { page, errors, close } = await open();
  await page.route('**/v1/evidence/**', (route) => route.abort());
  await drop(page, [file('document.bin.zlr', await readFile(receiptPath))]);
  const card = page.locator('.card.record');
  await card.waitFor();
  assert.match(await card.innerText(), /回执有效[\s\S]*存证机构[\s\S]*存证编号\s+ZL[0-9A-Z*~$=]{27}/);
  assert.deepEqual(errors, []);
  await close();
});

test("the address on a certificate's code shows the deposit, and the file is compared with it", async () => {
  const first = await open('en-US');
  await drop(first.page, [deposited]);
  await first.page.locator('.card.verified').waitFor();
  const number = (await first.page.locator('.card dd').allInnerTexts()).find((text) => /^ZL/.test(text));
  await first.close();
  const { page, errors, close } = await open('en-US');
  await page.goto(`${url}/?id=${encodeURIComponent(number)}`);
  await page.locator('.card.record').waitFor();
  assert.match(await page.locator('.card').innerText(), new RegExp(number.replace(/[*$]/g, '\\$&')));
  await shot(page, 'linked-en');
  await drop(page, [file('other.bin', Buffer.from('another file'))]);
  await page.locator('.card.mismatch').waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test('a file whose deposit was withdrawn is verified, and the headline says so', async () => {
  const { page, errors, close } = await open();
  await drop(page, [withdrawn]);
  const headline = page.locator('.card.verified h2');
  await headline.waitFor();
  assert.equal(await headline.innerText(), '核验通过 · 已停止使用（未删除）');
  await shot(page, 'withdrawn-zh');
  await page.click('#language');
  await page.locator('.card').waitFor();
  assert.equal(await headline.innerText(), 'Verified · withdrawn from use (not erased)');
  assert.deepEqual(errors, []);
  await close();
});

test('an unknown file is not deposited', async () => {
  const { page, close } = await open();
  await drop(page, [file('未知.txt', Buffer.from(`never deposited ${Math.random()}`))]);
  await page.locator('.card.not_deposited').waitFor();
  assert.match(await page.locator('.card h2').innerText(), /尚未存证/);
  await shot(page, 'not-deposited-zh');
  await close();
});

test('a changed file with its receipt does not match', async () => {
  const { page, close } = await open('en-US');
  const bytes = await readFile(deposited);
  bytes[Math.floor(bytes.length / 2)] ^= 1;
  await drop(page, [file('changed.bin', bytes), file('changed.bin.zlr', await readFile(receiptPath))]);
  await page.locator('.card.mismatch').waitFor();
  assert.match(await page.locator('.card h2').innerText(), /Does not match/);
  await shot(page, 'mismatch-en');
  await close();
});

test('a receipt with one changed bit is refused, with the reason', async () => {
  const { page, close } = await open('en-US');
  const receipt = await readFile(receiptPath);
  receipt[receipt.length - 20] ^= 1;
  await drop(page, [file('document.bin', await readFile(deposited)), file('document.bin.zlr', receipt)]);
  await page.locator('.card.refused').waitFor();
  await shot(page, 'refused-en');
  await close();
});

test('a receipt verifies the file without a word from the server', async () => {
  const { page, close } = await open('en-US');
  await page.route('**/v1/evidence/**', (route) => route.abort());
  await drop(page, [file('document.bin', await readFile(deposited)), file('document.bin.zlr', await readFile(receiptPath))]);
  await page.locator('.card.verified').waitFor();
  await close();
});

test('a site that shows another network identity is not believed', async () => {
  const { page, close } = await open();
  await page.evaluate(() => localStorage.setItem('zhulian.network', '{}'));
  await page.reload();
  await page.locator('.card.failed').waitFor();
  assert.match(await page.locator('.card').innerText(), /网络身份/);
  await close();
});

test('new blocks appear by themselves', async () => {
  const { page, close } = await open();
  await page.waitForFunction(() => document.querySelectorAll('#blocks li').length > 0);
  const first = await page.locator('#blocks li').first().innerText();
  await page.waitForFunction((before) => document.querySelector('#blocks li').innerText !== before, first, { timeout: 15_000 });
  await close();
});

test('when too few validators can be reached, the page names them, and goes quiet when they are back', async () => {
  const { page, errors, close } = await open();
  const folder = process.env.ZHULIAN_NODES;
  // The first node serves the page; the last two are halted, which leaves too few to vote.
  const names = (await readdir(folder)).sort().slice(-2);
  const pids = await Promise.all(names.map(async (name) => Number(await readFile(`${folder}/${name}/pid`, 'utf8'))));
  try {
    pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    const finding = page.locator('#trouble li.blocking').first();
    await finding.waitFor({ timeout: 30_000 });
    assert.match(await finding.innerText(), /须有 3 个在线，现仅 2 个；无法联系：.+自 \d\d:\d\d:\d\d 起[\s\S]*恢复后将自动继续/);
    assert.equal(await page.locator('#live').innerText(), '已停滞，原因如下：');
    await accessible(page);
    await shot(page, 'stalled-zh');
  } finally {
    pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
  }
  await page.locator('#trouble').waitFor({ state: 'hidden', timeout: 45_000 });
  assert.match(await page.locator('#live').innerText(), /实时/);
  assert.deepEqual(errors, []);
  await close();
});

test('the language switches, and a phone shows all', async () => {
  const { page, close } = await open('zh-CN', { viewport: { width: 390, height: 844 } });
  await page.click('#language');
  assert.match(await page.locator('h1').innerText(), /Is this document on the ledger/);
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing sticks out');
  await shot(page, 'phone-en');
  await close();
});

test('axe finds nothing to complain about', async () => {
  const { page, close } = await open();
  await drop(page, [deposited]);
  await page.locator('.card.verified').waitFor();
  // The card fades in, and half transparent text has too little contrast.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  await accessible(page);
  await close();
});

test('a receipt of a refused transaction, or of another call, is shown as no deposit', async () => {
  const { page, close } = await openVectors('zh-CN');
  await drop(page, [file('x.zlr', await vector('refused'))]);
  const card = page.locator('.card.other');
  await card.waitFor();
  assert.match(await card.innerText(), /不是存证[\s\S]*被拒绝（原因代码 evidence 4）[\s\S]*x\.zlr[\s\S]*上链时间/);
  assert.doesNotMatch(await card.innerText(), /存证时间|存证编号|存证机构/);
  await shot(page, 'other-refused-zh');
  await drop(page, [file('x.zlr', await vector('other_call'))]);
  await page.getByText('identity.register').waitFor();
  await page.click('#language');
  assert.match(await card.innerText(), /of no deposit[\s\S]*identity\.register/);
  await drop(page, [file('a.txt', Buffer.from('a')), file('a.txt.zlr', await vector('refused'))]);
  await page.locator('.card.unproven').waitFor();
  assert.match(await page.locator('.card').innerText(), /No proof[\s\S]*refused \(code evidence 4\)/);
  await close();
});

test('the receipt or the number of a batch does not say that a file is not deposited', async () => {
  const { page, close } = await openVectors('zh-CN');
  await drop(page, [file('a.txt', Buffer.from('a')), file('batch.zlr', await vector('batch'))]);
  const card = page.locator('.card.unproven');
  await card.waitFor();
  assert.match(await card.innerText(), /该回执证明一个批次（编号 ZL[^，]+，共 \d+ 条）[\s\S]*条目回执/);
  assert.doesNotMatch(await card.innerText(), /尚未存证|没有这份文件/);
  await shot(page, 'unproven-batch-zh');
  await drop(page, [file('batch.zlr', await vector('batch'))]);
  await page.locator('.card.record').waitFor();
  assert.match(await page.locator('.card').innerText(), /证明一个批次/);
  await close();
});

test('an unknown number does not say that a deposited file is not deposited', async () => {
  const { page, close } = await open('zh-CN');
  await page.click('summary');
  await page.fill('#number', `ZL${'0'.repeat(26)}7`);
  await drop(page, [deposited]);
  await page.locator('.card.unproven').waitFor();
  assert.match(await page.locator('.card').innerText(), /不说明该文件没有存证[\s\S]*清空编号/);
  await page.fill('#number', 'nonsense');
  await drop(page, [deposited]);
  await page.locator('.card.failed').waitFor();
  assert.match(await page.locator('.card').innerText(), /“nonsense”不是存证编号/);
  await close();
});

test('a wrong deposit of the same digest does not make the file look changed, and a receipt of another number is not believed', async () => {
  const { page, close } = await open('zh-CN');
  let asked;
  page.on('request', (request) => { if (request.url().endsWith('/check')) asked = request.postDataJSON(); });
  await drop(page, [deposited]);
  await page.locator('.card.verified').waitFor();
  assert.deepEqual(Object.keys(asked).sort(), ['chunks_root', 'sha256', 'size', 'sm3']);
  const own = await readFile(receiptPath);
  const text = await page.locator('.card').innerText();
  const id = /ZL[0-9A-Z*~$=]{27}/.exec(text)[0];
  const view = { id, organisation: 'FORGED', organisation_name: '冒名机构', status: 'in_use' };
  await answering(page, [{ ...view, id: `ZL${'0'.repeat(27)}` }, view], { [`ZL${'0'.repeat(27)}`]: own, [id]: own });
  await drop(page, [deposited]);
  await page.locator('.card.verified').waitFor();
  assert.doesNotMatch(await page.locator('.card').innerText(), /FORGED|冒名/);
  await page.unrouteAll();
  await answering(page, [{ ...view, id: `ZL${'0'.repeat(27)}` }], { [`ZL${'0'.repeat(27)}`]: own });
  await drop(page, [deposited]);
  await page.locator('.card.distrusted').waitFor();
  assert.match(await page.locator('.card').innerText(), /不属于 ZL0+，未予采信/);
  await shot(page, 'distrusted-zh');
  await close();
});

test('receipts that belong to no file are told one by one, and one that is too large is not read', async () => {
  const { page, close } = await open('en-US');
  await page.route('**/v1/evidence/**', (route) => route.abort());
  const own = await readFile(receiptPath);
  await drop(page, [file('document.bin', await readFile(deposited)), file('document.bin.zlr', own), file('stray.zlr', own), file('huge.zlr', Buffer.alloc((1 << 20) + 1))]);
  await page.locator('.card.refused').waitFor();
  assert.equal(await page.locator('.card').count(), 3);
  assert.match(await page.locator('.card.record').innerText(), /stray\.zlr/);
  assert.match(await page.locator('.card.refused').innerText(), /huge\.zlr/);
  await shot(page, 'stray-en');
  await close();
});

test('with the identity of an earlier visit a receipt verifies while the site is away', async () => {
  const { page, close } = await open('en-US');
  await page.route('**/v1/**', (route) => route.abort());
  await page.reload();
  await drop(page, [file('document.bin', await readFile(deposited)), file('document.bin.zlr', await readFile(receiptPath))]);
  await page.locator('.card.verified').waitFor();
  await page.getByText('This node does not answer since').waitFor();
  assert.match(await page.locator('#live').innerText(), /Connection lost/);
  await shot(page, 'away-en');
  await close();
});

test('what the browser refuses is told in the language of the page', async () => {
  const { page, close } = await open('zh-CN');
  await page.evaluate(() => { Blob.prototype.stream = Blob.prototype.arrayBuffer = () => { throw new DOMException('no', 'NotFoundError'); }; });
  await drop(page, [file('folder', Buffer.from('x'))]);
  await page.locator('.card.failed').waitFor();
  assert.match(await page.locator('.card').innerText(), /如果是文件夹/);
  await page.addInitScript(() => Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('no', 'SecurityError'); } }));
  await page.reload();
  await page.getByText('浏览器不允许本站保存数据').waitFor();
  await page.click('#language');
  await page.getByText('does not let this site keep data').waitFor();
  await close();
});

test('a stream that the node ended with an error is begun again, also on a lower chain', async () => {
  const context = await browser.newContext({ locale: 'zh-CN' });
  const page = await context.newPage();
  await page.route('**/v1/events**', (route) => route.fulfill({ status: 503, body: '{}' }), { times: 1 });
  await page.route('**/v1/blocks**', (route) => route.fulfill({ json: { items: [{ height: 900_000_000, time_ms: 1, transactions: 0 }] } }), { times: 1 });
  await page.goto(url);
  await page.getByText('#900000000').waitFor();
  await page.getByText('● 实时').waitFor({ timeout: 15_000 });
  await page.waitForFunction(() => document.querySelectorAll('#blocks li').length > 1 && !document.getElementById('blocks').innerText.includes('#900000000'));
  await context.close();
});
