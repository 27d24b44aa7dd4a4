// openid-client as a device: it says where its user has to go, and polls once it is told that they were there.

import { createInterface } from "node:readline";

import * as client from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

const job = JSON.parse((await lines.next()).value);
const config = await client.discovery(new URL(job.issuer), job.client_id, undefined, client.None());
const codes = await client.initiateDeviceAuthorization(config, { scope: job.scope });
say(codes);
await lines.next();
const tokens = await client.pollDeviceAuthorizationGrant(config, codes);
say({ claims: tokens.claims(), scope: tokens.scope });
process.exit(0);
