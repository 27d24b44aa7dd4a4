// A program that the tests talk with, one line of JSON at a time: it is told what to do, says where a browser has to go,
// is told where that came back to, and says what it has got.

import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export async function hear() {
  const { value, done } = await lines.next();
  if (done) throw new Error("nobody is there any more");
  return JSON.parse(value);
}

export function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

// Send the browser somewhere, and give what arrives at the client: a URL, or a posted form.
export async function browse(url) {
  say({ url: url.href });
  const { callback, body } = await hear();
  if (body === undefined || body === null) return new URL(callback);
  return new Request(callback, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body,
  });
}

export async function converse(flows) {
  const job = await hear();
  try {
    say({ result: await flows[job.flow](job) });
  } catch (error) {
    say({ error: `${error.name}: ${error.message}`, code: error.code, cause: String(error.cause?.message ?? "") });
  }
  process.exit(0);
}
