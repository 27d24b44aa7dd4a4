// node-oidc-provider as its documentation has it for development: says where it listens.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { default: Provider } = await import(pathToFileURL(process.argv[2]).href);
const server = createServer((request, response) => handle(request, response));
let handle;
server.listen(0, "localhost", () => {
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "app", client_secret: "app-secret", redirect_uris: ["https://app.example/callback"] }],
    features: { introspection: { enabled: true }, revocation: { enabled: true }, deviceFlow: { enabled: true } },
  });
  handle = provider.callback();
  console.log(JSON.stringify({ issuer }));
});
