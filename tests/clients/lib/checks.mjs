// Checks: one line each, a summary at the end, status 1 if one failed. And what an SDK makes of an answer.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

let count = 0;
let failed = 0;
let prefix = '';

export const short = (value) => { const text = JSON.stringify(value) ?? String(value); return text.length > 300 ? `${text.slice(0, 300)}...` : text; };

// One check; gives back whether it is good.
export const ok = (name, good, detail = '') => {
  count += 1;
  if (!good) failed += 1;
  console.log(good ? `ok   ${prefix}${name}` : `FAIL ${prefix}${name}: ${String(detail).replace(/\s+/g, ' ').slice(0, 600)}`);
  return Boolean(good);
};

export const same = (name, got, wanted) => {
  let equal = true;
  try { assert.deepEqual(got, wanted); } catch { equal = false; }
  return ok(name, equal, `got ${short(got)}, wanted ${short(wanted)}`);
};

// What goes wrong in a group is one failed check of its own; the other groups still run.
export const group = async (name, action) => {
  const before = prefix;
  prefix = `${prefix}${name}: `;
  try { await action(); } catch (problem) { ok('goes through', false, problem.stack ?? problem); } finally { prefix = before; }
};

export const finish = () => {
  console.log(`${count} checks, ${failed} failed`);
  process.exit(failed ? 1 : 0);
};

export const collect = async (iterable, most = Infinity) => {
  const items = [];
  for await (const item of await iterable) {
    items.push(item);
    if (items.length >= most) break;
  }
  return items;
};

// Asks again and again until the answer is good; returns it, or fails.
export const until = async (ask, good) => {
  for (const deadline = Date.now() + 60_000; ;) {
    const value = await ask();
    if (good(value)) return value;
    if (Date.now() > deadline) throw new Error(`still ${short(value)} after 60 s`);
    await sleep(100);
  }
};

// An id of the same shape that never was.
export const invented = (id) => {
  const runs = [...id.matchAll(/[0-9A-Za-z]{6,}/g)];
  const run = (runs.length ? runs : [...id.matchAll(/[0-9A-Za-z]+/g)]).at(-1);
  const letters = /^[0-9a-f]+$/.test(run[0]) ? '0123456789abcdef' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const other = [...run[0]].map(() => letters[Math.floor(Math.random() * letters.length)]).join('');
  return id.slice(0, run.index) + other + id.slice(run.index + run[0].length);
};

// Headers that differ between any two answers.
const VARYING = new Set(['date', 'x-request-id', 'x-consentry-request-id', 'request-id', 'traceparent', 'content-length', 'server-timing']);

// What the SDK makes of the answer: exception, status, headers, body; the id that was asked for is taken out.
export async function outcome(ask, id) {
  try {
    const got = await ask(id);
    if (got && typeof got[Symbol.asyncIterator] === 'function') await collect(got);
    return ['no error', 200, {}, short(got)];
  } catch (problem) {
    const headers = [...problem.headers ?? []].filter(([name]) => !VARYING.has(name)).map(([name, value]) => [name, value.replaceAll(id, '<id>')]);
    const { request_id: _, ...body } = problem.error ?? { problem: String(problem) };
    return [problem.constructor.name, problem.status, Object.fromEntries(headers), JSON.stringify(body).replaceAll(id, '<id>')];
  }
}
