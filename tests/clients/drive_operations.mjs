#!/usr/bin/env node
// Drives every served operation of a profile over TLS and HTTP/2 with the unmodified SDK for Node, as two tenants.
//
//   drive_operations.mjs --sdk openai|anthropic --base https://localhost:8443 --ca ca.crt --route NAME --coverage FILE
//
// KEY_A and KEY_B are the keys of the two tenants; both hold every grant. What is done and looked at is as in
// drive_operations.py. The modules are looked for in $CONSENTRY_CACHE/node (~/.cache/consentry/node).
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { finish, group, same } from './lib/checks.mjs';
import { foreign, gone, lists, make, named, refused } from './lib/steps.mjs';

const { env } = process;
const names = ['sdk', 'base', 'ca', 'route', 'coverage'];
const { values: options } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const home = path.join(env.CONSENTRY_CACHE || path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'consentry'), 'node');
const load = createRequire(path.join(home, 'package.json'));
const undici = load('undici');
// The SDKs make their forms of the global class, and undici's fetch takes none but its own.
globalThis.FormData = undici.FormData;
const connect = { ca: fs.readFileSync(options.ca) };
const dispatcher = new undici.Agent({ allowH2: true, connect });
const given = { maxRetries: 0, timeout: 60_000, fetch: undici.fetch, fetchOptions: { dispatcher } };
const base = options.base.replace(/\/+$/, '');
const client = {
  openai: (apiKey) => new (load('openai').default)({ apiKey, baseURL: `${base}/v1`, ...given }),
  anthropic: (apiKey) => new (load('@anthropic-ai/sdk').default)({ apiKey, baseURL: base, ...given }),
}[options.sdk];

// The SDK's own WebSocket is refused: it opens none, and says so.
async function realtime() {
  globalThis.WebSocket = undici.WebSocket;
  undici.setGlobalDispatcher(new undici.Agent({ connect }));
  const { OpenAIRealtimeWebSocket } = load('openai/realtime/websocket');
  const { socket } = new OpenAIRealtimeWebSocket({ model: 'gpt-realtime' }, a);
  const [came] = await Promise.race(['open', 'error', 'close'].map((name) => once(socket, name)));
  same('is refused', [came.type, socket.readyState === undici.WebSocket.OPEN], ['error', false]);
}

const steps = await import(`./lib/${options.sdk}_steps.mjs`);
const [makes, others, ends] = await Promise.all([steps.MAKES, steps.NAMED, steps.ENDS].map(named));
const [a, b, own, theirs] = [client(env.KEY_A), client(env.KEY_B), {}, {}];

await group(options.sdk, async () => {
  await make(makes, a, 'A', theirs);
  await make(makes, b, 'B', own);
  await group('lists', async () => {
    await lists(makes, a, 'A', theirs, own);
    await lists(makes, b, 'B', own, theirs);
  });
  // Where nothing trains models there is none of A's; what looks like one is nobody's.
  theirs.trained ??= 'ft:claude-sandbox-4:acme::Zq7Lw2Kx';
  await group('B with A\'s ids', () => foreign([...makes, ...others, ...ends], b, own, theirs));
  await group('lists after that', () => lists(makes, a, 'A', theirs, own));
  await make(ends, a, 'A', theirs);
  await group('gone', () => gone(makes, ends, a, theirs));
  const rows = fs.readFileSync(options.coverage, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const closed = rows.filter(({ route, served }) => route === options.route && served !== 'served');
  await group('refused by name', () => refused(closed, a, options.sdk === 'openai' ? '/v1' : ''));
  if (options.sdk === 'openai') await group('realtime by WebSocket', realtime);
});
finish();
