// Auth.js as a site has it: one provider of type oidc, which knows the issuer and the credentials, and nothing else.

import { Auth, skipCSRFCheck } from "@auth/core";

import { browse, converse } from "./conversation.mjs";

// Remember the cookies of a site, as a browser does.
class Cookies {
  #values = new Map();

  keep(response) {
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      if (value) this.#values.set(name, value);
      else this.#values.delete(name);
    }
    return response;
  }

  get header() {
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

await converse({
  // Sign in, and say what the site knows of the user then: from the ID token, and in its session.
  async signIn(job) {
    const cookies = new Cookies();
    let profile;
    const config = {
      basePath: "/auth",
      trustHost: true,
      secret: "a secret of the site",
      skipCSRFCheck,
      providers: [
        { id: "provider", name: "Provider", type: "oidc", issuer: job.issuer, clientId: job.client_id, clientSecret: job.secret },
      ],
      callbacks: {
        jwt({ token, profile: claims }) {
          profile ??= claims;
          return token;
        },
      },
      logger: {
        error(error) {
          throw error;
        },
      },
    };
    const visit = async (path, init = {}) => {
      const request = new Request(new URL(path, job.redirect_uri), { ...init, headers: { ...init.headers, cookie: cookies.header } });
      return cookies.keep(await Auth(request, config));
    };
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const begun = await visit("/auth/signin/provider", { method: "POST", headers: form });
    const asked = new URL(begun.headers.get("location"));
    const arrived = await browse(asked);
    const ended = await visit(arrived.pathname + arrived.search);
    const session = await (await visit("/auth/session")).json();
    return { asked: Object.fromEntries(asked.searchParams), ended: ended.headers.get("location"), profile, session };
  },
});
