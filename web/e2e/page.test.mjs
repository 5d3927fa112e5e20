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
    await shot(page, 'stalled-zh');
  } finally {
    pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
  }
  await page.locator('#trouble').waitFor({ state: 'hidden', timeout: 45_000 });
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
  const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), []);
  await close();
});
