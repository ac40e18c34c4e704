#!/usr/bin/env node
// Drives an OpenAI-shaped API over TLS with the unmodified openai-node SDK, as three tenants.
//
//   drive_openai.mjs --base https://localhost:8443 --ca ca.crt --journal https://127.0.0.1:9443 --journal-ca DIR/ca.crt
//   drive_openai.mjs --direct --base https://127.0.0.1:9443 --ca DIR/ca.crt --journal … --journal-ca DIR/ca.crt
//
// Options, environment and output are those of drive_openai.py: BASE_URL, CA_FILE, JOURNAL_URL, JOURNAL_CA, KEY_A,
// KEY_B, KEY_C; --http 1|2|both, --records N, --direct. HTTP/1.1 goes by node's own fetch, HTTP/2 by undici's.
// The modules are looked for in $CONSENTRY_CACHE/node (~/.cache/consentry/node).
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const env = process.env;
const { values: options } = parseArgs({ options: {
  base: { type: 'string', default: env.BASE_URL }, ca: { type: 'string', default: env.CA_FILE },
  'key-a': { type: 'string', default: env.KEY_A }, 'key-b': { type: 'string', default: env.KEY_B }, 'key-c': { type: 'string', default: env.KEY_C },
  journal: { type: 'string', default: env.JOURNAL_URL }, 'journal-ca': { type: 'string', default: env.JOURNAL_CA },
  http: { type: 'string', default: 'both' }, records: { type: 'string', default: '2000' },
  direct: { type: 'boolean', default: false }, restores: { type: 'boolean', default: false },
} });
const needed = ['base', 'ca', ...(options.direct ? [] : ['key-a', 'key-b', 'key-c'])];
for (const name of needed) if (!options[name]) { console.error(`drive_openai.mjs: --${name} is missing`); process.exit(2); }

// Node reads its extra authorities when it starts, so it is started again with them.
if (env.DRIVER_STARTED_AGAIN !== '1') {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'driver-'));
  const bundle = path.join(folder, 'ca.pem');
  fs.writeFileSync(bundle, [options.ca, options['journal-ca']].filter(Boolean).map((file) => fs.readFileSync(file)).join('\n'));
  const again = { ...env, NODE_EXTRA_CA_CERTS: bundle, DRIVER_STARTED_AGAIN: '1', DRIVER_FOLDER: folder };
  const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { env: again, stdio: 'inherit' });
  fs.rmSync(folder, { recursive: true, force: true });
  process.exit(status ?? 1);
}

const { run } = await import('./lib/node_flows.mjs');
await run(options);
