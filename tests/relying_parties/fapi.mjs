// A client of FAPI 2.0, built on openid-client: it knows the issuer's URL, its identifier and its keys, and nothing else.

import { importJWK } from "jose";
import * as client from "openid-client";

import { browse, converse } from "./conversation.mjs";

async function discover(job) {
  const key = await importJWK(job.key, job.key.alg);
  const authentication = client.PrivateKeyJwt({ key, kid: job.key.kid });
  const metadata = { ...job.metadata, token_endpoint_auth_method: "private_key_jwt" };
  return client.discovery(new URL(job.issuer), job.client_id, metadata, authentication);
}

// Push a request, signed where that is demanded, and return the tokens that its code brings.
async function signedIn(config, job, DPoP) {
  if (job.jarm) client.useJwtResponseMode(config);
  const verifier = client.randomPKCECodeVerifier();
  const checks = { expectedNonce: client.randomNonce(), expectedState: client.randomState(), idTokenExpected: true };
  let parameters = {
    redirect_uri: job.redirect_uri,
    scope: job.scope,
    response_type: "code",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...job.parameters,
  };
  if (job.sign) {
    const signing = { key: await importJWK(job.key, job.key.alg), kid: job.key.kid };
    const url = await client.buildAuthorizationUrlWithJAR(config, parameters, signing, {
      [client.modifyAssertion]: (header, claims) => {
        claims.nbf ??= Math.floor(Date.now() / 1000);
      },
    });
    parameters = url.searchParams;
  }
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
  const callback = await browse(url);
  return client.authorizationCodeGrant(config, callback, { ...checks, pkceCodeVerifier: verifier }, undefined, {
    DPoP,
  });
}

await converse({
  async signIn(job) {
    const config = await discover(job);
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const tokens = await signedIn(config, job, DPoP);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    return {
      claims: tokens.claims(),
      type: tokens.token_type,
      refreshed: refreshed.token_type,
      details: tokens.authorization_details,
      introspected: await client.tokenIntrospection(config, refreshed.access_token),
      isRotated: refreshed.refresh_token !== undefined && refreshed.refresh_token !== tokens.refresh_token,
    };
  },
  // What the rules are there to refuse.
  async withoutProof(job) {
    const config = await discover(job);
    try {
      await client.clientCredentialsGrant(config, { scope: "email" });
      return { error: "none" };
    } catch (error) {
      return { error_code: error.error, description: error.error_description };
    }
  },
});
