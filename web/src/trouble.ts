/** What keeps the network from going on, above the list of blocks; nothing when all is well. */
import { diagnosis, type Finding } from './api.js';
import { getLanguage } from './text.js';

const EVERY_MS = 5_000;
let findings: Finding[] = [];

/** Draws it, also after a change of language. */
export function drawTrouble(): void {
  const list = document.getElementById('trouble')!;
  const zh = getLanguage() === 'zh';
  list.hidden = findings.length === 0;
  list.replaceChildren(
    ...findings.map((finding) => {
      const item = document.createElement('li');
      item.className = finding.severity;
      const what = document.createElement('strong');
      what.textContent = zh ? finding.zh : finding.en;
      const remedy = document.createElement('span');
      remedy.textContent = zh ? finding.remedy_zh : finding.remedy_en;
      item.append(what, remedy);
      return item;
    }),
  );
}

/** Asks now and then; while the node is away, the list of blocks says so. */
export async function watchTrouble(): Promise<void> {
  for (;;) {
    try {
      const now = (await diagnosis()).findings;
      if (JSON.stringify(now) !== JSON.stringify(findings)) {
        findings = now;
        drawTrouble();
      }
    } catch {
      // The node is away.
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
