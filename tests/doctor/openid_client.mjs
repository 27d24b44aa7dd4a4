// What openid-client makes of discovery: reads cases, each an issuer and the answers by URL, and says why each fails.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { customFetch, discovery } = await import(pathToFileURL(process.argv[2]).href);
const cases = JSON.parse(readFileSync(0, "utf-8"));
const said = {};
for (const [name, { issuer, answers }] of Object.entries(cases)) {
  const fetch = async (url) => {
    const answer = answers[String(url)];
    if (answer === undefined) throw new TypeError(`not prepared: ${url}`);
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
  try {
    await discovery(new URL(issuer), "app", undefined, undefined, { [customFetch]: fetch });
    said[name] = null;
  } catch (error) {
    said[name] = String(error.cause?.message ?? error.message);
  }
}
console.log(JSON.stringify(said));
