// openid-client as a till: it says what it has begun, and goes on once it is told that the user was asked, or by a ping.

import { createInterface } from "node:readline";

import * as client from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

const job = JSON.parse((await lines.next()).value);
const config = await client.discovery(new URL(job.issuer), job.client_id, job.secret);
const metadata = config.serverMetadata();
try {
  const begun = await client.initiateBackchannelAuthentication(config, job.parameters);
  say({ ...begun, modes: metadata.backchannel_token_delivery_modes_supported });
  await lines.next();
  const tokens = await client.pollBackchannelAuthenticationGrant(config, begun);
  const user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  say({ claims: tokens.claims(), scope: tokens.scope, email: user.email });
} catch (error) {
  say({ error: error.error ?? String(error), status: error.status });
}
process.exit(0);
