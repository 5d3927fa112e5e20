/** The list of latest blocks, kept alive by the event stream. */
import { blocks, type BlockView } from './api.js';
import { text, time } from './text.js';
import { isAway, isStalled } from './trouble.js';

const SHOWN = 8;
const AGAIN_MS_MIN = 2_000;
const AGAIN_MS_MAX = 30_000;
let latest: BlockView[] = [];
let connected = false;
let current: EventSource | undefined;

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
  const heard = connected && !isAway();
  document.getElementById('live')!.textContent = heard ? (isStalled() ? text('stalled') : `● ${text('live')}`) : text('reconnecting');
}

/**
 * Shows the newest blocks and follows the stream, for as long as the page is open. The browser connects again by itself only after some
 * failures, and then asks for what came after the last block it saw, which a city that was begun anew does not have; so each failure
 * ends the stream here, and a new one begins with the list as it is then.
 */
export async function followBlocks(): Promise<void> {
  let again = AGAIN_MS_MIN;
  for (;;) {
    await follow(() => { again = AGAIN_MS_MIN; });
    await new Promise((resolve) => setTimeout(resolve, again));
    again = Math.min(2 * again, AGAIN_MS_MAX);
  }
}

/** One stream, until it fails. */
function follow(works: () => void): Promise<void> {
  return new Promise((ended) => {
    const stream = new EventSource('/v1/events?types=block');
    current = stream;
    // Blocks of this stream alone: what an earlier one told may be of a chain that is no more.
    let heard: BlockView[] = [];
    let fetched: BlockView[] | undefined;
    const merge = (): void => {
      if (stream !== current || (!fetched && !heard.length)) return;
      const above = heard.filter((block) => !fetched?.[0] || block.height > fetched[0].height);
      latest = [...above, ...(fetched ?? [])].slice(0, SHOWN);
      drawBlocks();
    };
    stream.addEventListener('block', (event) => {
      works();
      const block = JSON.parse(event.data) as BlockView;
      if (heard[0] && block.height <= heard[0].height) return;
      heard = [block, ...heard].slice(0, SHOWN);
      merge();
    });
    // The stream's own state tells whether the node is away.
    const fetch = (): void => { void blocks().then((newest) => { fetched = newest; merge(); }, () => {}); };
    fetch();
    // Again, for blocks between the first answer and the beginning of the stream.
    stream.addEventListener('open', () => { connected = true; drawBlocks(); fetch(); });
    stream.addEventListener('error', () => {
      stream.close();
      connected = false;
      drawBlocks();
      ended();
    });
  });
}
