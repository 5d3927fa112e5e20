// Draws the scenarios' procedures as SVG beside them, as bpmn-js shows them, without what only its mouse needs.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, open } from './editors.mjs';

const scenarios = new URL('../../scenarios/', import.meta.url).pathname;
const browser = await launch();
for (const name of (await readdir(scenarios, { recursive: true })).filter((name) => name.endsWith('.bpmn')).sort()) {
  const { page } = await open(browser, 'bpmn', await readFile(join(scenarios, name), 'utf8'));
  const svg = await page.evaluate(async () => {
    const { svg } = await window.modeler.saveSVG();
    const picture = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
    picture.querySelectorAll('.djs-hit, .djs-outline, .djs-dragger').forEach((node) => node.remove());
    const shown = new XMLSerializer().serializeToString(picture);
    const used = new Set([...shown.matchAll(/url\(["'&quot;]*#([^)"'&]+)/g)].map(([, id]) => id));
    picture.querySelectorAll('marker').forEach((node) => used.has(node.id) || node.remove());
    // Each style once, and coordinates to a tenth of a point.
    const styles = new Map();
    const round = (text) => text.replace(/-?\d+\.\d{2,}/g, (number) => String(Math.round(number * 10) / 10));
    for (const node of picture.querySelectorAll('*')) {
      ['class', 'data-element-id', 'data-container-id', 'lineHeight'].forEach((name) => node.removeAttribute(name));
      ['d', 'x', 'y'].filter((name) => node.hasAttribute(name)).forEach((name) => node.setAttribute(name, round(node.getAttribute(name))));
      const style = node.getAttribute('style');
      if (!style) continue;
      node.removeAttribute('style');
      if (style.trim() === 'display: block;') continue;
      if (!styles.has(style)) styles.set(style, `s${styles.size}`);
      node.setAttribute('class', styles.get(style));
    }
    const sheet = picture.ownerDocument.createElementNS('http://www.w3.org/2000/svg', 'style');
    sheet.textContent = [...styles].map(([style, name]) => `.${name}{${style}}`).join('');
    picture.prepend(sheet);
    picture.querySelectorAll('g').forEach((node) => node.childNodes.length || node.remove());
    const [x, y, width, height] = picture.getAttribute('viewBox').split(' ');
    const paper = picture.ownerDocument.createElementNS('http://www.w3.org/2000/svg', 'rect');
    Object.entries({ x, y, width, height, fill: '#fff' }).forEach(([key, value]) => paper.setAttribute(key, value));
    picture.querySelector('g').before(paper);
    return new XMLSerializer().serializeToString(picture);
  });
  await writeFile(join(scenarios, name.replace(/bpmn$/, 'svg')), `${svg}\n`);
  console.log(`${name}: ${Math.round(svg.length / 1024)} KiB`);
  await page.close();
}
await browser.close();
