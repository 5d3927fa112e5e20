/** What keeps the network from going on, above the list of blocks; nothing when all is well. */
import { diagnosis, type Finding } from './api.js';
import { both, getLanguage, time } from './text.js';

const EVERY_MS = 5_000;
let findings: Finding[] = [];
let awaySince: number | undefined;

/** Whether the node has left the last question without an answer: what was heard of it before is old. */
export function isAway(): boolean {
  return awaySince !== undefined;
}

/** Whether no block can come. */
export function isStalled(): boolean {
  return findings.some((finding) => finding.severity === 'blocking');
}

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

/** Its findings are as old as its last answer, so none of them is shown any more. */
function away(since: number): Finding[] {
  const [what, remedy] = [both('away', { time: time(since).slice(11) }), both('awayRemedy')];
  return [{ severity: 'blocking', code: 'page.away', ...what, remedy_zh: remedy.zh, remedy_en: remedy.en }];
}

/** Asks now and then, for as long as the page is open; `changed` is told when something is found or found no more. */
export async function watchTrouble(changed: () => void): Promise<void> {
  for (;;) {
    const asked = Date.now();
    let now: Finding[];
    try {
      now = (await diagnosis()).findings;
      awaySince = undefined;
    } catch {
      awaySince ??= asked;
      now = away(awaySince);
    }
    if (JSON.stringify(now) !== JSON.stringify(findings)) {
      findings = now;
      drawTrouble();
      changed();
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
