// Builds the page into the gateway's assets, which the binary embeds. The result is committed, so that a plain `cargo build` works.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';

const out = new URL('../crates/gateway/assets/', import.meta.url).pathname;
await mkdir(out, { recursive: true });
await build({
  entryPoints: [new URL('src/main.ts', import.meta.url).pathname],
  outfile: `${out}app.js`,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
});
for (const file of ['index.html', 'style.css', 'icon.svg']) {
  await copyFile(new URL(`src/${file}`, import.meta.url), `${out}${file}`);
}
