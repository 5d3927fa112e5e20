// The editors that officers draw with, in headless Chromium: bpmn-js with the vocabulary of Zeebe, and dmn-js.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const folder = (name) => dirname(require.resolve(`${name}/package.json`));
const editors = {
  bpmn: join(folder('bpmn-js'), 'dist/bpmn-modeler.production.min.js'),
  dmn: join(folder('dmn-js'), 'dist/dmn-modeler.production.min.js'),
};

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** A page with `window.modeler` of a kind, `bpmn` or `dmn`, in which a file is open. The page has no network. */
export async function open(browser, kind, xml) {
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.setContent('<!doctype html><div id="canvas" style="position:absolute;inset:0"></div>');
  await page.addScriptTag({ path: editors[kind] });
  const zeebe = JSON.parse(await readFile(join(folder('zeebe-bpmn-moddle'), 'resources/zeebe.json'), 'utf8'));
  const warnings = await page.evaluate(async ({ kind, xml, zeebe }) => {
    window.modeler = kind === 'bpmn'
      ? new window.BpmnJS({ container: '#canvas', moddleExtensions: { zeebe } })
      : new window.DmnJS({ container: '#canvas' });
    const { warnings } = await window.modeler.importXML(xml);
    return warnings.map((warning) => warning.message ?? String(warning));
  }, { kind, xml, zeebe });
  return { page, warnings, errors };
}

/** What the editor would write. */
export const save = (page) => page.evaluate(async () => (await window.modeler.saveXML({ format: true })).xml);
