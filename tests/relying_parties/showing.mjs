// A fetch that shows a certificate in the TLS handshake: the one of Node itself can't be told to.

import { Agent, request } from "node:https";

export function showing({ certificate, key }) {
  const agent = new Agent({ cert: certificate, key });
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const sent = request(url, { agent, method, headers }, async (answer) => {
        const pieces = [];
        for await (const piece of answer) pieces.push(piece);
        const content = Buffer.concat(pieces);
        const kept = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
        resolve(new Response(content.length ? content : null, { status: answer.statusCode, headers: kept }));
      });
      sent.on("error", reject);
      sent.end(body ? String(body) : undefined);
    });
}
