// The groups of the Node driver.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

import { collect, finish, group, invented, ok, outcome, same, short, until } from './checks.mjs';
import { Planter } from './planted.mjs';

const home = path.join(process.env.CONSENTRY_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'consentry'), 'node');
const load = createRequire(path.join(home, 'package.json'));
const { default: OpenAI, toFile, NotFoundError, PermissionDeniedError, AuthenticationError } = load('openai');
const undici = load('undici');
const accountKey = 'sandbox-account-key';
const model = 'gpt-4o-mini-2024-07-18';
const user = (content) => [{ role: 'user', content }];

const joined = (chunks, index = 0) => chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index).map((choice) => choice.delta.content ?? '').join('');

class World {
  constructor(options, http) {
    Object.assign(this, { options, http, direct: options.direct, planter: new Planter(), made: {} });
    this.keys = this.direct ? [accountKey, accountKey, accountKey] : [options['key-a'], options['key-b'], options['key-c']];
    [this.a, this.b, this.c] = this.keys.map((key) => this.client(key));
  }

  client(apiKey, more = {}) {
    const given = { apiKey, baseURL: `${this.options.base.replace(/\/+$/, '')}/v1`, maxRetries: 0, timeout: 60_000, ...more };
    if (this.http === 2) {
      const ca = fs.readFileSync(this.options.ca);
      given.fetch = undici.fetch;
      given.fetchOptions = { dispatcher: new undici.Agent({ allowH2: true, connect: { ca } }) };
    }
    return new OpenAI(given);
  }

  async sandbox(what, body) {
    if (!this.options.journal) return null;
    const given = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const answer = await this.nodeFetch(`${this.options.journal.replace(/\/+$/, '')}/__sandbox/${what}`, given);
    assert.equal(answer.ok, true, `${what}: ${answer.status}`);
    return answer;
  }

  async begin() {
    this.nodeFetch = nodeFetch;
    this.start = this.options.journal ? (await (await this.sandbox('journal?limit=0')).json()).next : 0;
  }

  async watch() {
    const keys = this.direct ? [] : this.keys;
    if (this.options.journal) await this.sandbox('watch', { needles: [...this.planter.secrets, ...this.planter.personal, ...keys] });
  }

  async secret(kind) { const value = this.planter.secret(kind); await this.watch(); return value; }

  async person(kind) { const value = this.planter.person(kind); await this.watch(); return value; }

  clean(what, text) {
    if (this.direct) return;
    const found = this.planter.secrets.filter((value) => text.includes(value));
    ok(`${what} holds no planted secret`, found.length === 0, `${found.length} found, first ${found[0]}`);
  }
}

const nodeFetch = globalThis.fetch;

function compare(world, what, { lines, dirty }, got) {
  if (world.direct) { ok(`${what}: byte for byte`, got === lines.join('\n')); return; }
  const came = got.split('\n');
  if (!same(`${what}: as many records`, came.length, lines.length)) return;
  const touched = lines.map((_, n) => n).filter((n) => !dirty.has(n) && came[n] !== lines[n]);
  ok(`${what}: records without findings are byte for byte the same`, touched.length === 0, `${touched.length} differ: ${came[touched[0]]}`);
  same(`${what}: every record is JSON and in order`, came.map((line) => JSON.parse(line).n), lines.map((_, n) => n));
  ok(`${what}: every record with findings was changed`, [...dirty].every((n) => came[n] !== lines[n]));
  world.clean(what, got);
}

async function files(world) {
  const set = world.planter.records(Number(world.options.records));
  await world.watch();
  const data = set.lines.join('\n');
  const name = path.join(process.env.DRIVER_FOLDER, 'train.jsonl');
  fs.writeFileSync(name, data);
  const ways = { 'a stream: chunked, file before purpose': () => fs.createReadStream(name), 'a buffer: file before purpose': () => toFile(Buffer.from(data), 'train.jsonl') };
  for (const [way, content] of Object.entries(ways)) {
    const file = await world.a.files.create({ file: await content(), purpose: 'fine-tune', expires_after: { anchor: 'created_at', seconds: 86400 } });
    same(`${way}: purpose and name`, [file.purpose, file.filename], ['fine-tune', 'train.jsonl']);
    compare(world, `${way}, downloaded`, set, await (await world.a.files.content(file.id)).text());
    if (world.options.journal) compare(world, `${way}, upstream`, set, await (await world.sandbox(`files/${file.id}`)).text());
    world.made.file ??= file.id;
  }
}

async function training(world) {
  const { jobs } = world.a.fineTuning;
  let job = await jobs.create({ model, training_file: world.made.file, suffix: 'acme' });
  world.made.job = job.id;
  job = await until(() => jobs.retrieve(job.id), (each) => ['succeeded', 'failed', 'cancelled'].includes(each.status));
  if (!same('the job succeeds', job.status, 'succeeded')) return;
  world.made.model = job.fine_tuned_model;
  const events = await collect(jobs.listEvents(job.id, { limit: 2 }));
  ok('the events come page by page, each once', events.length > 6 && new Set(events.map((each) => each.id)).size === events.length, events.length);
  const leaked = JSON.stringify(events).match(/sk-[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}/g) ?? [];
  if (world.direct) ok('the events leak a key', leaked.length > 0); else ok('no key leaks through the events', leaked.length === 0, leaked.length);
  world.clean('the log', JSON.stringify(events));
  same('two checkpoints', (await collect(jobs.checkpoints.list(job.id, { limit: 1 }))).map((each) => each.step_number), [3, 2]);
  same('the model is retrieved', (await world.a.models.retrieve(job.fine_tuned_model)).id, job.fine_tuned_model);
  const second = await jobs.create({ model: job.fine_tuned_model, training_file: world.made.file });
  same('paused', (await jobs.pause(second.id)).status, 'paused');
  ok('resumed', ['validating_files', 'queued', 'running'].includes((await jobs.resume(second.id)).status));
  same('cancelled', (await jobs.cancel(second.id)).status, 'cancelled');
}

async function chat(world) {
  const { completions } = world.a.chat;
  const mine = world.made.model ?? model;
  const text = 'Gr\u00fc\u00dfe \u6f22\u5b57 \u{1F600} "quoted" \\ and a clean end';
  same('clean text comes back', (await completions.create({ model: mine, messages: user(text) })).choices[0].message.content, `You said: ${text}`);
  same('streamed as well', joined(await collect(completions.create({ model: mine, messages: user(text), stream: true }))), `You said: ${text}`);
  const [secret, mail] = [await world.secret(), await world.person('email')];
  const plain = (await completions.create({ model: mine, messages: user(`Key ${secret}, write to ${mail}.`) })).choices[0].message.content;
  const streamed = joined(await collect(completions.create({ model: mine, messages: user(`Key ${secret}, write to ${mail}.`), stream: true })));
  same('streamed and plain say the same', streamed, plain);
  world.clean('an answer', plain + streamed);
  if (world.options.restores) ok('the address comes back in its own exchange', plain.includes(mail), plain);
  const tools = ['look_up', 'send_note'].map((name) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: { text: { type: 'string' } } } } }));
  const calls = [];
  for await (const chunk of await completions.create({ model: mine, messages: user(`call every tool with ${secret} \u{1F600}`), tools, stream: true })) {
    for (const call of chunk.choices.flatMap((choice) => choice.delta.tool_calls ?? [])) {
      calls[call.index] ??= { name: call.function.name, arguments: '' };
      calls[call.index].arguments += call.function.arguments ?? '';
    }
  }
  same('two tools are called in turns', calls.map((call) => call.name), ['look_up', 'send_note']);
  ok('their arguments are JSON and end as they should', calls.every((call) => JSON.parse(call.arguments).text.endsWith(' \u{1F600}')), short(calls));
  world.clean('the arguments', JSON.stringify(calls));
  const final = await completions.stream({ model: mine, messages: user('by the helper') }).finalContent();
  same('the SDK\'s stream helper', final, 'You said: by the helper');
}

async function responses(world) {
  const text = `My key ${await world.secret()} fails.`;
  const plain = await world.a.responses.create({ model, input: text });
  const events = await collect(world.a.responses.create({ model, input: text, stream: true }));
  const kinds = events.map((event) => event.type);
  same('first and last event', [kinds[0], kinds.at(-1)], ['response.created', 'response.completed']);
  same('the deltas make the answer', events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta).join(''), plain.output_text);
  world.clean('the response', JSON.stringify([plain, events]));
}

async function batches(world) {
  const texts = Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? `line ${n} with ${world.planter.secret()}` : `line ${n} is clean`));
  await world.watch();
  const lines = texts.map((text, n) => JSON.stringify({ custom_id: `r${n}`, method: 'POST', url: '/v1/chat/completions', body: { model, messages: user(text), store: true } }));
  const file = await world.a.files.create({ file: await toFile(Buffer.from(`${lines.join('\n')}\n`), 'batch.jsonl'), purpose: 'batch' });
  let batch = await world.a.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  world.made.batch = batch.id;
  batch = await until(() => world.a.batches.retrieve(batch.id), (each) => ['completed', 'failed'].includes(each.status));
  if (!same('it completes', batch.status, 'completed')) return;
  const output = await (await world.a.files.content(batch.output_file_id)).text();
  const answers = output.trim().split('\n').map((line) => JSON.parse(line));
  same('each line is answered', answers.map((each) => each.custom_id), texts.map((_, n) => `r${n}`));
  same('clean lines are said back', answers[1].response.body.choices[0].message.content, 'You said: line 1 is clean');
  world.clean('the output', output);
}

async function vectorStores(world) {
  const file = await world.a.files.create({ file: await toFile(Buffer.from(`anteaters eat ants\nand ${await world.secret()}\n`), 'notes.md'), purpose: 'assistants' });
  const store = await world.a.vectorStores.create({ name: 'notes', file_ids: [file.id] });
  world.made.store = store.id;
  const hits = await collect(world.a.vectorStores.search(store.id, { query: 'anteaters' }));
  ok('found', hits[0]?.content[0].text.includes('anteaters eat ants'), short(hits));
  world.clean('what is found', JSON.stringify(hits));
  ok('listed', (await collect(world.a.vectorStores.list({ limit: 1 }))).some((each) => each.id === store.id));
}

async function uploads(world) {
  const set = world.planter.records(100);
  await world.watch();
  const data = Buffer.from(set.lines.join('\n'));
  const cut = data.indexOf(world.planter.secrets.at(-3)) + 12;
  const parts = [data.subarray(0, 700), data.subarray(700, cut), data.subarray(cut)];
  const upload = await world.a.uploads.create({ bytes: data.length, filename: 'parts.jsonl', mime_type: 'application/jsonl', purpose: 'fine-tune' });
  const ids = [];
  for (const place of [2, 0, 1]) ids[place] = (await world.a.uploads.parts.create(upload.id, { data: await toFile(parts[place], 'part') })).id;
  const done = await world.a.uploads.complete(upload.id, { part_ids: ids });
  if (!same('complete', done.status, 'completed')) return;
  compare(world, 'downloaded', set, await (await world.a.files.content(done.file.id)).text());
  if (world.options.journal) compare(world, 'upstream', set, await (await world.sandbox(`files/${done.file.id}`)).text());
}

async function paging(world) {
  const made = { a: [], b: [] };
  for (let n = 0; n < 7; n += 1) {
    for (const name of world.direct ? ['a'] : ['a', 'b']) {
      made[name].push((await world[name].files.create({ file: await toFile(Buffer.from('x'), `${name}${n}.txt`), purpose: 'vision' })).id);
    }
  }
  for (const name of world.direct ? ['a'] : ['a', 'b']) {
    const listed = (await collect(world[name].files.list({ limit: 2, purpose: 'vision' }))).map((each) => each.id);
    const own = world.direct ? listed.filter((id) => made[name].includes(id)) : listed;
    same(`${name}: exactly its own, in order`, own, [...made[name]].reverse());
  }
  for (const name of ['a', 'b']) for (const id of made[name]) await world[name].files.delete(id);
}

async function isolation(world) {
  const { b, made } = world;
  const own = (await b.files.create({ file: await toFile(Buffer.from('{"messages":[]}\n'), 'own.jsonl'), purpose: 'fine-tune' })).id;
  const asks = {
    file: {
      retrieve: (id) => b.files.retrieve(id), content: (id) => b.files.content(id), delete: (id) => b.files.delete(id), after: (id) => b.files.list({ after: id }),
      job: (id) => b.fineTuning.jobs.create({ model, training_file: id }), validation: (id) => b.fineTuning.jobs.create({ model, training_file: own, validation_file: id }),
      batch: (id) => b.batches.create({ input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' }),
      'vector store': (id) => b.vectorStores.create({ file_ids: [own, id] }),
      chat: (id) => b.chat.completions.create({ model, messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: id } }] }] }),
    },
    job: {
      retrieve: (id) => b.fineTuning.jobs.retrieve(id), cancel: (id) => b.fineTuning.jobs.cancel(id), pause: (id) => b.fineTuning.jobs.pause(id),
      events: (id) => b.fineTuning.jobs.listEvents(id), checkpoints: (id) => b.fineTuning.jobs.checkpoints.list(id), after: (id) => b.fineTuning.jobs.list({ after: id }),
    },
    model: {
      retrieve: (id) => b.models.retrieve(id), delete: (id) => b.models.delete(id), chat: (id) => b.chat.completions.create({ model: id, messages: user('x') }),
      stream: (id) => b.chat.completions.create({ model: id, messages: user('x'), stream: true }), responses: (id) => b.responses.create({ model: id, input: 'x' }),
      job: (id) => b.fineTuning.jobs.create({ model: id, training_file: own }),
    },
    batch: { retrieve: (id) => b.batches.retrieve(id), cancel: (id) => b.batches.cancel(id), after: (id) => b.batches.list({ after: id }) },
    store: { retrieve: (id) => b.vectorStores.retrieve(id), delete: (id) => b.vectorStores.delete(id), search: (id) => b.vectorStores.search(id, { query: 'x' }), files: (id) => b.vectorStores.files.list(id) },
  };
  for (const [kind, calls] of Object.entries(asks)) {
    if (!made[kind]) { ok(`${kind}: was made`, false, 'an earlier group failed'); continue; }
    for (const [name, ask] of Object.entries(calls)) {
      const never = await outcome(ask, invented(made[kind]));
      if (world.direct) { ok(`${kind}, ${name}: an invented id is an error of the API`, never[1] >= 400 && never[1] < 500, short(never)); continue; }
      const foreign = await outcome(ask, made[kind]);
      same(`${kind}, ${name}: NotFoundError`, foreign.slice(0, 2), [NotFoundError.name, 404]);
      same(`${kind}, ${name}: as if it never was`, foreign, never);
    }
  }
}

async function consent(world) {
  const { c } = world;
  const line = Buffer.from('{"messages":[{"role":"user","content":"x"}]}\n');
  same('inference goes through', (await c.chat.completions.create({ model, messages: user('hello'), store: true })).choices[0].message.content, 'You said: hello');
  await assert.rejects(world.client('wrong-key-0123456789').models.list(), AuthenticationError);
  if (world.direct) return;
  const refused = {
    'a training file': async () => c.files.create({ file: await toFile(line, 't.jsonl'), purpose: 'fine-tune' }),
    'a training file as a stream': () => c.files.create({ file: fs.createReadStream(path.join(process.env.DRIVER_FOLDER, 'train.jsonl')), purpose: 'fine-tune' }),
    'a training file in parts': () => c.uploads.create({ bytes: 5, filename: 't.jsonl', mime_type: 'application/jsonl', purpose: 'fine-tune' }),
  };
  for (const [name, ask] of Object.entries(refused)) {
    const got = await ask().then(() => 'it went through', (problem) => problem.constructor.name);
    same(`${name}: refused`, got, PermissionDeniedError.name);
  }
}

async function ending(world) {
  const { a, made } = world;
  for (const [kind, api] of [['model', a.models], ['store', a.vectorStores], ['file', a.files]]) {
    if (!made[kind]) continue;
    same(`${kind}: deleted`, (await api.delete(made[kind])).deleted, true);
    same(`${kind}: gone`, (await outcome((id) => api.retrieve(id), made[kind])).slice(0, 2), [NotFoundError.name, 404]);
  }
}

async function upstream(world) {
  if (!world.options.journal) return;
  const { entries } = await (await world.sandbox(`journal?limit=100000${world.start ? `&after=${world.start - 1}` : ''}`)).json();
  const seen = new Set(entries.flatMap((entry) => entry.seen));
  const { secrets, personal } = world.planter;
  if (world.direct) { ok('the journal sees the planted values arrive', secrets.filter((value) => seen.has(value)).length > secrets.length - 4); return; }
  ok('no planted secret reached upstream', !secrets.some((value) => seen.has(value)), [...seen].length);
  ok('no planted personal datum reached upstream', !personal.some((value) => seen.has(value)), [...seen].length);
  ok('no tenant\'s key went upstream', !world.keys.some((key) => seen.has(key)));
  const asked = entries.filter((entry) => entry.line.startsWith('POST') && ['/v1/chat/completions', '/v1/responses'].includes(entry.path));
  const header = (entry, name) => entry.headers.find(([each]) => each === name)?.[1];
  ok('inference carries content-usage: train-ai=n', asked.length > 0 && asked.every((entry) => header(entry, 'content-usage')?.replaceAll(' ', '') === 'train-ai=n'));
  const stored = asked.map((entry) => ({ entry, store: JSON.parse(entry.text).store })).filter(({ entry, store }) => store === true || (store === undefined && entry.path === '/v1/responses'));
  ok('nothing is stored upstream', stored.length === 0, `${stored.length} are`);
}

export async function run(options) {
  const groups = { files, training, chat, responses, batches, 'vector stores': vectorStores, uploads, paging, isolation, consent, ending, upstream };
  for (const http of options.http === 'both' ? [1, 2] : [Number(options.http)]) {
    // The SDK makes its forms of the global class, and undici's fetch takes none but its own.
    if (http === 2) globalThis.FormData = undici.FormData;
    const world = new World(options, http);
    await world.begin();
    await group(`h${http}`, async () => { for (const [name, action] of Object.entries(groups)) await group(name, () => action(world)); });
  }
  finish();
}
