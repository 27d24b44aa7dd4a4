// What MCP's TypeScript SDK makes of a server: reads cases, each with the answers by URL, and says why each fails.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { auth, extractWWWAuthenticateParams } = await import(pathToFileURL(process.argv[2]).href);
const cases = JSON.parse(readFileSync(0, "utf-8"));
const said = {};
for (const [name, { resource, answers }] of Object.entries(cases)) {
  const fetchFn = async (url) => {
    const answer = answers[String(url)] ?? { status: 404, headers: [], body: "" };
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
  const provider = {
    redirectUrl: "http://localhost:3000/callback",
    clientMetadata: { redirect_uris: ["http://localhost:3000/callback"] },
    clientInformation: () => ({ client_id: "app" }),
    tokens: () => undefined,
    saveTokens: () => {},
    saveCodeVerifier: () => {},
    codeVerifier: () => "",
    redirectToAuthorization: (url) => { said[name].redirected = String(url); },
  };
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(await fetchFn(resource));
  said[name] = { link: resourceMetadataUrl === undefined ? null : String(resourceMetadataUrl), reason: null, redirected: null };
  try {
    await auth(provider, { serverUrl: resource, resourceMetadataUrl, scope, fetchFn });
  } catch (error) {
    said[name].reason = String(error.message);
  }
}
console.log(JSON.stringify(said));
