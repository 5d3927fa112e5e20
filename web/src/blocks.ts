/** The list of latest blocks, kept alive by the event stream. */
import { blocks, type BlockView } from './api.js';
import { text, time } from './text.js';

const SHOWN = 8;
let latest: BlockView[] = [];
let connected = false;

/** Draws the list, also after a change of language. */
export function drawBlocks(): void {
  const list = document.getElementById('blocks')!;
  list.replaceChildren(
    ...latest.map((block) => {
      const item = document.createElement('li');
      const height = document.createElement('span');
      height.textContent = `#${block.height}`;
      const count = document.createElement('span');
      count.textContent = `${block.transactions} ${text('transactions')}`;
      const at = document.createElement('time');
      at.dateTime = new Date(block.time_ms).toISOString();
      at.textContent = time(block.time_ms).slice(11);
      item.append(height, count, at);
      return item;
    }),
  );
  document.getElementById('live')!.textContent = connected ? `● ${text('live')}` : text('reconnecting');
}

/** Shows the newest blocks and follows the stream; the browser reconnects by itself and resumes. */
export async function followBlocks(): Promise<void> {
  const stream = new EventSource('/v1/events?types=block');
  stream.addEventListener('block', (event) => {
    const block = JSON.parse(event.data) as BlockView;
    if (latest[0] && block.height <= latest[0].height) return;
    latest = [block, ...latest].slice(0, SHOWN);
    drawBlocks();
  });
  stream.addEventListener('open', () => { connected = true; drawBlocks(); });
  stream.addEventListener('error', () => { connected = false; drawBlocks(); });
  try {
    const newest = await blocks();
    const above = latest.filter((block) => !newest[0] || block.height > newest[0].height);
    latest = [...above, ...newest].slice(0, SHOWN);
  } catch {
    // The stream's own state says that the node is away.
  }
  drawBlocks();
}
