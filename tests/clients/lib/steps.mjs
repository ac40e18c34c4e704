// Steps: what one tenant makes, reads and ends by an SDK, and the same with another's ids.
//
// A step is an operation of the profile and a call of the SDK. Which ids the call reads of those that were made before is
// seen by making it of nothing, so that it is known where an id can stand: each is asked for with another's, and with one
// that never was.
import { collect, group, invented, ok, outcome, same, short, until } from './checks.mjs';

// `makes`: names of what it makes, with the function that finds the id in the answer. `lists`: which of these has to be in
// the list. `good`: what is true of the answer. `ready`: asked again until that is true.
export const step = (operation, ask, { makes = {}, ...more } = {}) => ({
  operation, ask, ...more, makes: typeof makes === 'string' ? { [makes]: (got) => got.id } : makes,
});

// A client that answers everything with itself, and says nothing to anybody.
const nobody = new Proxy(() => {}, { get: (_, name) => (name === 'then' ? undefined : nobody), apply: () => nobody });

async function names(each) {
  const read = new Set();
  await each.ask(nobody, new Proxy({}, { get: (_, name) => { read.add(name); return 'x'; } }));
  return [...read];
}

// Gives each step the names of the ids that it reads.
export const named = (steps) => Promise.all(steps.map(async (each) => ({ ...each, names: await names(each) })));

// An answer as a whole: files as text, streams to their end, lists over all pages.
async function call(each, client, ids) {
  const got = await each.ask(client, ids);
  if (typeof got?.text === 'function') return got.text();
  return typeof got?.[Symbol.asyncIterator] === 'function' ? collect(got, 1000) : got;
}

// How much of a prompt somebody of the account has sent before.
const CACHED = new Set(['cached_tokens', 'cache_write_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens', 'ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens']);

// What of an answer tells of the account's cache: the counts that are not nought, at any depth and in files of JSON lines.
function cached(got) {
  if (typeof got === 'string') return got.split('\n').filter((line) => line.startsWith('{')).flatMap((line) => cached(JSON.parse(line)));
  if (!got || typeof got !== 'object') return [];
  return Object.entries(got).flatMap(([name, value]) => (CACHED.has(name) && value ? [`${name}: ${value}`] : typeof value === 'object' ? cached(value) : []));
}

// One tenant's own steps in order; each has to go through.
export async function make(steps, client, who, ids) {
  for (const each of steps) {
    await group(`${each.operation} of ${who}`, async () => {
      const missing = each.names.filter((name) => !(name in ids));
      if (!ok('has what it needs', missing.length === 0, missing)) return;
      const ask = () => call(each, client, ids);
      const got = await (each.ready ? until(ask, each.ready) : ask());
      for (const [name, find] of Object.entries(each.makes)) {
        const id = find(got);
        if (ok(`makes ${name}`, typeof id === 'string' && id !== '', short(got))) ids[name] = id;
      }
      const told = cached(got);
      ok('tells nothing of the account\'s cache', told.length === 0, told);
      if (each.good) ok('says what it should', each.good(got), short(got));
    });
  }
}

// Each step of the second tenant, with the first one's id in each place in turn: as if it never was.
export async function foreign(steps, client, own, theirs) {
  for (const each of steps) {
    for (const name of each.names) {
      await group(`${each.operation}, another's ${name}`, async () => {
        const ask = (id) => call(each, client, { ...own, [name]: id });
        const there = await outcome(ask, theirs[name]);
        same('NotFoundError', there.slice(0, 2), ['NotFoundError', 404]);
        same('as if it never was', there, await outcome(ask, invented(theirs[name])));
      });
    }
  }
}

// Each list holds what is the tenant's, and nothing that is the other's.
export async function lists(steps, client, who, own, theirs) {
  for (const each of steps.filter(({ lists: wanted }) => wanted)) {
    await group(`${each.operation} of ${who}`, async () => {
      const held = new Set((await call(each, client, own)).map(({ id }) => id));
      ok('holds the own', held.has(own[each.lists]), [...held]);
      const others = Object.values(theirs).filter((id) => held.has(id) && !Object.values(own).includes(id));
      ok('holds nobody else\'s', others.length === 0, others);
    });
  }
}

// What was deleted can't be looked at any more: the last name of a `DELETE` is what it ended.
export async function gone(makes, ends, client, ids) {
  for (const end of ends.filter(({ operation, names: asked }) => /delete/i.test(operation) && asked.length)) {
    const name = end.names.at(-1);
    const look = makes.find(({ operation, names: asked }) => asked.at(-1) === name && /(^|\.)(get|retrieve)/i.test(operation));
    if (!look) continue;
    const found = await outcome(() => call(look, client, ids), ids[name]);
    same(`${name} after ${end.operation}: NotFoundError`, found.slice(0, 2), ['NotFoundError', 404]);
  }
}

// What the profile names and does not serve: refused with the SDK's own error, whatever stands for its ids. `base` is what of
// each path the SDK adds.
export async function refused(rows, client, base) {
  for (const { operation, call: said } of rows) {
    const [method, template] = said.split(' ');
    const path = template.replace(/\{[^}]*\}/g, 'one').slice(base.length);
    const got = await outcome(() => client[method.toLowerCase()](path, method === 'GET' ? {} : { body: {} }), 'one');
    same(`${operation}: is refused`, got.slice(0, 2), ['PermissionDeniedError', 403]);
  }
}
