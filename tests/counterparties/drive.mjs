#!/usr/bin/env node
// Drives a server that nobody here wrote with the unmodified SDKs for Node of OpenAI and Anthropic, as two tenants, over HTTP/2.
//
//   drive.mjs --server aimock --base https://localhost:8443/aimock --ca ca.crt --witness http://127.0.0.1:18300
//   drive.mjs --server llama  --base https://localhost:8443/llama  --ca ca.crt --witness http://127.0.0.1:18200
//
// KEY_A and KEY_B are two tenants' keys, both with grants for training. BASE is where the server stands as OpenAI's API;
// BASE-anthropic is where it stands as Anthropic's. --witness is the server itself: what it says arrived.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { collect, finish, group, invented, ok, outcome, same, short, until } from '../clients/lib/checks.mjs';
import { Planter } from '../clients/lib/planted.mjs';

const { env } = process;
const given = Object.fromEntries(['server', 'base', 'ca', 'witness'].map((name) => [name, { type: 'string' }]));
const { values: options } = parseArgs({ options: given });
const home = path.join(env.CONSENTRY_CACHE || path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'consentry'), 'node');
const load = createRequire(path.join(home, 'package.json'));
const undici = load('undici');
const { default: OpenAI, toFile } = load('openai');
const { default: Anthropic } = load('@anthropic-ai/sdk');
// The SDKs make their forms of the global class, and undici's fetch takes none but its own.
globalThis.FormData = undici.FormData;
const dispatcher = new undici.Agent({ allowH2: true, connect: { ca: fs.readFileSync(options.ca) } });
const usual = { maxRetries: 0, timeout: 60_000, fetch: undici.fetch, fetchOptions: { dispatcher } };
const base = options.base.replace(/\/+$/, '');
const openai = (apiKey) => new OpenAI({ apiKey, baseURL: `${base}/v1`, ...usual });
const anthropic = (apiKey) => new Anthropic({ apiKey, baseURL: `${base}-anthropic`, ...usual });

const MODEL = 'gpt-4o-mini-2024-07-18';
const CANNED = 'Good day. These words come from a canned answer, in small pieces.';
const planter = new Planter();
const user = (content) => [{ role: 'user', content }];
const said = (chunks) => chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta?.content ?? '').join('');
const spoken = (events) => events.map((event) => (event.type === 'content_block_delta' ? event.delta.text ?? '' : '')).join('');
const witness = async (what) => (await fetch(`${options.witness}/${what}`)).text();

// The witness saw no planted value; it saw the clean words beside them, so it can see.
function arrived(what, text, clean) {
  const found = [...planter.secrets, ...planter.personal].filter((value) => text.includes(value));
  ok(`${what}: the witness saw it`, text.includes(clean), short(text));
  ok(`${what}: no planted value arrived`, found.length === 0, `${found.length} did, first ${found[0]}`);
}

// As the wrong tenant: another's id and an invented one get the same NotFoundError.
async function wrong(what, real, ask) {
  const there = await outcome(ask, real);
  same(`${what} as the wrong tenant: NotFoundError`, there.slice(0, 2), ['NotFoundError', 404]);
  same(`${what} as the wrong tenant: as if it never was`, there, await outcome(ask, invented(real)));
}

async function files(a, b) {
  const { lines, dirty } = planter.records(300);
  const file = await a.files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'train.jsonl'), purpose: 'fine-tune' });
  const got = (await (await a.files.content(file.id)).text()).split('\n');
  same('as many records', got.length, lines.length);
  const touched = lines.map((_, n) => n).filter((n) => !dirty.has(n) && got[n] !== lines[n]);
  ok('clean records are byte for byte the same', touched.length === 0, touched);
  ok('listed', (await collect(a.files.list({ limit: 1 }))).some(({ id }) => id === file.id));
  ok('not listed for the other', !(await collect(b.files.list())).some(({ id }) => id === file.id));
  await wrong('files.retrieve', file.id, (id) => b.files.retrieve(id));
  await wrong('files.content', file.id, (id) => b.files.content(id));
  await wrong('files.delete', file.id, (id) => b.files.delete(id));
  arrived('the file', await witness(`v1/files/${file.id}/content`), lines.find((_, n) => !dirty.has(n)));
  return file.id;
}

async function training(a, b, file) {
  const { jobs } = a.fineTuning;
  const { id } = await jobs.create({ model: MODEL, training_file: file, suffix: 'acme' });
  const job = await until(() => jobs.retrieve(id), ({ status }) => ['succeeded', 'failed'].includes(status));
  same('it succeeds', job.status, 'succeeded');
  ok('it tells events', (await collect(jobs.listEvents(id, { limit: 2 }))).length > 0);
  ok('not listed for the other', !(await collect(b.fineTuning.jobs.list())).some((each) => each.id === id));
  await wrong('jobs.retrieve', id, (other) => b.fineTuning.jobs.retrieve(other));
  await wrong('jobs.cancel', id, (other) => b.fineTuning.jobs.cancel(other));
  await wrong('jobs.create with the file', file, (other) => b.fineTuning.jobs.create({ model: MODEL, training_file: other }));
  await wrong('chat with the model', job.fine_tuned_model, (model) => b.chat.completions.create({ model, messages: user('hi') }));
  same('streamed', said(await collect(a.chat.completions.create({ model: job.fine_tuned_model, messages: user('hi'), stream: true }))), CANNED);
}

async function batches(a, b) {
  const line = JSON.stringify({ custom_id: 'one', method: 'POST', url: '/v1/chat/completions', body: { model: MODEL, messages: user('hi') } });
  const source = await a.files.create({ file: await toFile(Buffer.from(`${line}\n`), 'batch.jsonl'), purpose: 'batch' });
  const { id } = await a.batches.create({ input_file_id: source.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  const batch = await until(() => a.batches.retrieve(id), ({ status }) => ['completed', 'failed'].includes(status));
  const answers = (await (await a.files.content(batch.output_file_id)).text()).trim().split('\n').map((each) => JSON.parse(each).custom_id);
  same('answered', answers, ['one']);
  await wrong('batches.retrieve', id, (other) => b.batches.retrieve(other));
  await wrong('the output', batch.output_file_id, (other) => b.files.content(other));
}

async function aimock() {
  await group('openai', async () => {
    const [a, b] = [env.KEY_A, env.KEY_B].map(openai);
    let file;
    await group('files', async () => { file = await files(a, b); });
    await group('jobs', () => training(a, b, file));
    await group('batches', () => batches(a, b));
  });
  await group('anthropic', async () => {
    const [a, b] = [env.KEY_A, env.KEY_B].map(anthropic);
    const ask = { model: 'tiny', max_tokens: 64 };
    same('plain', (await a.messages.create({ ...ask, messages: user('hi') })).content[0].text, CANNED);
    same('by the SDK\'s helper', await a.messages.stream({ ...ask, messages: user('hi') }).finalText(), CANNED);
    const told = spoken(await collect(a.messages.create({ ...ask, messages: user('leak'), stream: true })));
    same('an address that nobody sent is kept back', [told.startsWith('The address is '), told.includes('jane.roe'), told.endsWith(', as asked.')], [true, false, true]);
    await a.messages.create({ ...ask, system: `the key is ${planter.secret()}`, messages: user(`for the node driver, from ${planter.person('email')}`) });
    arrived('a message', await witness('__aimock/journal?limit=1000'), 'for the node driver');
    await wrong('a trained model', 'ft:tiny:acme::Zq7Lw2Kx', (model) => b.messages.create({ ...ask, model, messages: user('hi') }));
  });
}

async function llama() {
  const prompts = async () => JSON.parse(await witness('slots')).map(({ prompt }) => prompt).join('\n');
  const fixed = { model: 'tiny', max_tokens: 200, temperature: 0, seed: 1 };
  await group('openai', async () => {
    const [a, b] = [env.KEY_A, env.KEY_B].map(openai);
    const plain = (await a.chat.completions.create({ ...fixed, messages: user('hello') })).choices[0].message.content;
    same('streamed and plain agree', said(await collect(a.chat.completions.create({ ...fixed, messages: user('hello'), stream: true }))), plain);
    const events = await collect(a.responses.create({ model: 'tiny', input: 'hello', max_output_tokens: 16, stream: true }));
    same('a response\'s events', [events[0].type, /response\.(completed|incomplete)/.test(events.at(-1).type)], ['response.created', true]);
    const words = 'a prompt of one tenant and then of the other, by node';
    await a.chat.completions.create({ ...fixed, messages: user(words) });
    const { usage } = await b.chat.completions.create({ ...fixed, messages: user(words) });
    ok('nothing tells of the other\'s prompt', !usage.prompt_tokens_details?.cached_tokens, short(usage));
    await a.chat.completions.create({ ...fixed, messages: user(`for the node driver, my key ${planter.secret()} and ${planter.person('email')}`) });
    arrived('a prompt', await prompts(), 'for the node driver');
  });
  await group('anthropic', async () => {
    const a = anthropic(env.KEY_A);
    const ask = { ...fixed, messages: user('hello') };
    const plain = (await a.messages.create(ask)).content[0].text;
    same('streamed and plain agree', spoken(await collect(a.messages.create({ ...ask, stream: true }))), plain);
    ok('tokens are counted', (await a.messages.countTokens({ model: 'tiny', messages: user('hello') })).input_tokens > 5);
    await a.messages.create({ ...fixed, messages: user(`once more for it, my key ${planter.secret()} and ${planter.person('email')}`) });
    arrived('a message', await prompts(), 'once more for it');
  });
}

await group(`node, ${options.server}`, { aimock, llama }[options.server]);
finish();
