// Planted secrets and personal data for the Node driver, assembled at run time; nothing accepts them.
import { randomInt } from 'node:crypto';

const digits = '0123456789';
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const letters = digits + upper + upper.toLowerCase();
const some = (alphabet, length) => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

const luhn = (body) => {
  const sum = [...body].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return String((10 - (sum % 10)) % 10);
};

const kinds = {
  openai: () => ['s', 'k-', some(letters, 20), 'T3Blb', 'kFJ', some(letters, 20)].join(''),
  anthropic: () => ['s', 'k-a', 'nt-api03-', some(letters, 93), 'AA'].join(''),
  huggingface: () => ['h', 'f_', some(upper + upper.toLowerCase(), 34)].join(''),
  google: () => ['AI', 'za', some(letters, 35)].join(''),
  aws: () => ['AK', 'IA', some(`${upper}234567`, 16)].join(''),
  slack: () => ['xo', 'xb-', some(digits, 12), '-', some(digits, 12), '-', some(letters, 24)].join(''),
  stripe: () => ['s', 'k_li', 've_', some(letters, 32)].join(''),
};
const people = {
  email: () => `${some(upper.toLowerCase(), 8)}@mail-${some(upper.toLowerCase(), 4)}.com`,
  phone: () => `+4930${some('123456789', 8)}`,
  card: () => { const body = `4${some(digits, 14)}`; return body + luhn(body); },
};
const context = { email: 'write to', phone: 'my phone number is', card: 'my card number is' };
const any = (object) => Object.keys(object)[randomInt(Object.keys(object).length)];

export class Planter {
  secrets = [];
  personal = [];

  secret(kind = any(kinds)) {
    this.secrets.push(kinds[kind]());
    return this.secrets.at(-1);
  }

  person(kind = any(people)) {
    this.personal.push(people[kind]());
    return this.personal.at(-1);
  }

  // JSONL lines, each with its number in "n"; one in five holds planted values.
  records(count) {
    const dirty = new Set();
    const lines = Array.from({ length: count }, (_, n) => {
      if (n % 5 !== 4) return `{ "n": ${n}, "messages": [{"role":"user","content":"caf\\u00e9 na\u00efve \u{1F600} ${n}"}, {"role":"assistant","content":"1.0E+2"}] }`;
      dirty.add(n);
      const kind = any(people);
      return JSON.stringify({ n, messages: [
        { role: 'user', content: `Why does ${this.secret()} fail? By the way, ${context[kind]} ${this.person(kind)}.` },
        { role: 'assistant', content: `Try ${this.secret()}.` }] });
    });
    return { lines, dirty };
  }
}
