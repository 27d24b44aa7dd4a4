// An MCP client by one of the two TypeScript SDKs: it logs in, calls tools, and says what it got. The person is on the
// other side of the conversation, and so is the clock.

import { browse, converse, hear, say } from "../relying_parties/conversation.mjs";

const SDKS = {
  v1: async () => ({
    ...(await import("@modelcontextprotocol/sdk/client/index.js")),
    ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
    ...(await import("@modelcontextprotocol/sdk/client/auth.js")),
    ...(await import("@modelcontextprotocol/sdk/client/auth-extensions.js")),
  }),
  v2: () => import("@modelcontextprotocol/client"),
};

// What an application keeps for the SDK; it remembers where the browser has to go.
class Provider {
  constructor(job, sdk) {
    this.job = job;
    this.redirectUrl = job.redirect_uri;
    this.clientMetadata = job.metadata;
    this.clientMetadataUrl = job.client_metadata_url;
    this.information = job.client;
    if (job.key) this.addClientAuthentication = this.asserting(sdk);
  }
  // The SDK's own assertion, by the name that the client has by then.
  asserting(sdk) {
    return (...request) =>
      sdk.createPrivateKeyJwtAuth({
        issuer: this.information.client_id,
        subject: this.information.client_id,
        privateKey: this.job.key,
        alg: "ES256",
      })(...request);
  }
  state() {
    return "s t%ä&=+";
  }
  clientInformation() {
    return this.information;
  }
  saveClientInformation(information) {
    this.information = information;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  redirectToAuthorization(url) {
    this.url = url;
  }
  saveDiscoveryState(state) {
    this.discovered = state;
  }
  discoveryState() {
    return this.discovered;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
}

await converse({
  // Enterprise-managed authorization: the SDK brings an ID-JAG, and nobody's browser goes anywhere.
  async crossApp(job) {
    const sdk = await SDKS[job.sdk]();
    const asked = [];
    const authProvider = new sdk.CrossAppAccessProvider({
      ...job.client,
      assertion: async ({ authorizationServerUrl, resourceUrl, scope }) => {
        asked.push({ authorizationServerUrl, resourceUrl, scope });
        return job.assertions[asked.length - 1];
      },
    });
    const client = new sdk.Client({ name: "cross-app", version: "1" });
    await client.connect(new sdk.StreamableHTTPClientTransport(new URL(job.url), { authProvider }));
    const { content } = await client.callTool({ name: "whoami", arguments: {} });
    const result = { asked, whoami: content[0].text, tokens: authProvider.tokens() };
    await client.close();
    return result;
  },
  async walk(job) {
    const sdk = await SDKS[job.sdk]();
    const provider = new Provider(job, sdk);
    const result = { authorizations: [] };
    let client, transport;

    // Send the person where the SDK says, and start anew, as an application does that was opened again by the callback.
    async function authorize() {
      result.authorizations.push(Object.fromEntries(provider.url.searchParams));
      const arrived = (await browse(provider.url)).searchParams;
      if (arrived.has("error")) throw new Error(`${arrived}`);
      if (arrived.get("state") !== provider.state()) throw new Error(`state is ${arrived.get("state")}`);
      await transport.finishAuth(arrived.get("code"), arrived.get("iss"));
      await connect();
    }

    async function connect() {
      client = new sdk.Client({ name: "walk", version: "1" }, job.client_options);
      transport = new sdk.StreamableHTTPClientTransport(new URL(job.url), { authProvider: provider });
      await client.connect(transport);
    }

    // Do something that may need the person.
    async function attempt(act) {
      try {
        return await act();
      } catch (error) {
        // The first SDK refreshes where the scope falls short, which widens nothing: its application has to forget the
        // tokens, and then learns of the scope from the challenge to who has none.
        const falls_short = job.sdk === "v1" && error.code === 403 && provider.kept && !job.unaided;
        if (falls_short) {
          provider.kept = undefined;
          return attempt(act);
        }
        if (!(error instanceof sdk.UnauthorizedError)) throw error;
        await authorize();
        return act === connect ? undefined : act();
      }
    }

    async function call(tool, given = {}) {
      const [name, args] = job.tools?.[tool] ?? [tool, given];
      const { content, isError } = await attempt(() => client.callTool({ name, arguments: args }));
      if (isError) throw new Error(content[0].text);
      return content[0].text;
    }

    await attempt(connect);
    result.client = provider.information;
    result.tools = (await client.listTools()).tools.map((tool) => tool.name);
    result.whoami = await call("whoami");
    result.first = provider.kept;
    if (job.expire) {
      say({ later: job.expire });
      await hear();
      result.read = await call("read_note");
      result.refreshed = provider.kept;
    }
    if (job.spoil) {
      // A token that the server does not take any more, as one that was revoked: the SDK has to refresh.
      provider.kept = { ...provider.kept, access_token: "spoilt" };
      result.read = await call("read_note");
      result.refreshed = provider.kept;
    }
    if (job.step_up) {
      result.wrote = await call("write_note", { text: "remember" });
      result.stepped_up = provider.kept;
      result.read = await call("read_note");
    }
    await client.close();
    return result;
  },
});
