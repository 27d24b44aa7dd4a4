// node-oidc-provider with one client, as benchmarks/hosts.py has ours: says where it listens, and the client's secret.
import { randomBytes } from "node:crypto";
import Provider from "oidc-provider";

const secret = randomBytes(32).toString("base64url");
const provider = new Provider("https://as.example", {
  clients: [
    {
      client_id: "s6BhdRkqt3",
      client_secret: secret,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  scopes: ["read", "write"],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
  },
  routes: { introspection: "/introspect" },
  ttl: { ClientCredentials: 300 },
});
const listening = provider.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: listening.address().port, secret }));
});
