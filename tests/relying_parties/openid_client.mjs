// openid-client, the certified client for Node: it knows the issuer's URL and its own credentials, and nothing else.

import { importJWK } from "jose";
import * as client from "openid-client";

import { browse, converse } from "./conversation.mjs";
import { showing } from "./showing.mjs";

const METHODS = {
  client_secret_basic: (job) => client.ClientSecretBasic(job.secret),
  client_secret_post: (job) => client.ClientSecretPost(job.secret),
  client_secret_jwt: (job) => client.ClientSecretJwt(job.secret),
  private_key_jwt: async (job) =>
    client.PrivateKeyJwt({ key: await importJWK(job.key, job.key.alg), kid: job.key.kid }),
  none: () => client.None(),
  tls_client_auth: () => client.TlsClientAuth(),
  self_signed_tls_client_auth: () => client.TlsClientAuth(),
};

async function discover(job) {
  const metadata = { ...job.metadata, token_endpoint_auth_method: job.method };
  const options = job.certificate ? { [client.customFetch]: showing(job.certificate) } : undefined;
  const method = await METHODS[job.method](job);
  const config = await client.discovery(new URL(job.issuer), job.client_id, metadata, method, options);
  if (job.decryption) {
    const key = await importJWK(job.decryption, job.decryption.alg);
    client.enableDecryptingResponses(config, undefined, { key, alg: job.decryption.alg, kid: job.decryption.kid });
  }
  return config;
}

async function prepared(job, more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = { expectedNonce: client.randomNonce(), expectedState: client.randomState(), idTokenExpected: true };
  const parameters = {
    redirect_uri: job.redirect_uri,
    scope: job.scope ?? "openid email",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...(more.withoutCode
      ? {}
      : { code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" }),
    ...job.parameters,
    ...more.parameters,
  };
  return { checks: { ...checks, pkceCodeVerifier: verifier }, parameters };
}

async function begin(config, job, more) {
  const { checks, parameters } = await prepared(job, more);
  return { checks, url: client.buildAuthorizationUrl(config, parameters) };
}

async function signed(config, job, parameters) {
  const signing = { key: await importJWK(job.key, job.key.alg), kid: job.key.kid };
  return await client.buildAuthorizationUrlWithJAR(config, parameters, signing);
}

async function redeemed(config, job, more = {}) {
  const { checks, url } = await begin(config, job, more);
  const callback = await browse(url);
  const tokens = await client.authorizationCodeGrant(config, callback, { ...checks, maxAge: job.max_age });
  return { tokens, claims: tokens.claims() };
}

await converse({
  // Sign in, ask for claims, refresh, introspect, revoke.
  async code(job) {
    const config = await discover(job);
    const { tokens, claims } = await redeemed(config, job);
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    const result = { claims, userinfo, refreshed: refreshed.claims(), scope: tokens.scope };
    result.tokens = [tokens.access_token, refreshed.access_token];
    if (job.method !== "none") {
      result.before = await client.tokenIntrospection(config, refreshed.access_token);
      await client.tokenRevocation(config, refreshed.refresh_token);
      result.after = await client.tokenIntrospection(config, refreshed.access_token);
    }
    return result;
  },
  // Know nothing but the issuer: register, and sign in as what was registered.
  async registered(job) {
    const config = await client.dynamicClientRegistration(new URL(job.issuer), job.metadata, undefined, {
      initialAccessToken: job.initial_access_token,
    });
    const metadata = config.clientMetadata();
    const { tokens, claims } = await redeemed(config, job);
    return { metadata, claims, userinfo: await client.fetchUserInfo(config, tokens.access_token, claims.sub) };
  },
  async hybrid(job) {
    const config = await discover(job);
    client.useCodeIdTokenResponseType(config);
    const { tokens, claims } = await redeemed(config, job, { parameters: job.parameters });
    return { claims, userinfo: await client.fetchUserInfo(config, tokens.access_token, claims.sub) };
  },
  // The strictest there is: s_hash is demanded.
  async detached(job) {
    const config = await discover(job);
    client.useCodeIdTokenResponseType(config);
    client.enableDetachedSignatureResponseChecks(config);
    const { claims } = await redeemed(config, job);
    return { claims };
  },
  async implicit(job) {
    const config = await discover(job);
    client.useIdTokenResponseType(config);
    const { checks, url } = await begin(config, job, { withoutCode: true });
    const callback = await browse(url);
    const { expectedNonce, expectedState } = checks;
    return { claims: await client.implicitAuthentication(config, callback, expectedNonce, { expectedState }) };
  },
  // A request that is signed as a whole (RFC 9101).
  async requestObject(job) {
    const config = await discover(job);
    const { checks, parameters } = await prepared(job, { parameters: { response_type: "code" } });
    const url = await signed(config, job, parameters);
    const tokens = await client.authorizationCodeGrant(config, await browse(url), checks);
    return { claims: tokens.claims() };
  },
  // Push the request (RFC 9126); sign it before if there is a key (RFC 9101), and read the answer as a JWT (JARM).
  async pushed(job) {
    const config = await discover(job);
    if (job.jarm) client.useJwtResponseMode(config);
    const { checks, parameters } = await prepared(job, { parameters: { response_type: "code" } });
    const sent = job.sign ? (await signed(config, job, parameters)).searchParams : parameters;
    const url = await client.buildAuthorizationUrlWithPAR(config, sent);
    const callback = await browse(url);
    const tokens = await client.authorizationCodeGrant(config, callback, checks);
    return {
      claims: tokens.claims(),
      sent: [...url.searchParams.keys()].sort(),
      request_uri: url.searchParams.get("request_uri"),
      answered: callback instanceof URL ? [...callback.searchParams.keys()].sort() : [],
    };
  },
  // Prove a key with each request (RFC 9449); the library repeats one that lacks the server's nonce.
  async bound(job) {
    const config = await discover(job);
    const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair(job.algorithm));
    const more = { DPoP: handle };
    const { checks, url } = await begin(config, job, {
      parameters: job.names_key ? { dpop_jkt: await handle.calculateThumbprint() } : {},
    });
    const tokens = await client.authorizationCodeGrant(config, await browse(url), checks, undefined, more);
    const claims = tokens.claims();
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, more);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, more);
    return { type: tokens.token_type, refreshed: refreshed.token_type, claims, userinfo };
  },
  // Sign in, and exchange what comes of it: for another audience, and for an assertion for another domain.
  async exchange(job) {
    const config = await discover(job);
    const { tokens } = await redeemed(config, job);
    const prefix = "urn:ietf:params:oauth:token-type:";
    const ask = (parameters) =>
      client.genericGrantRequest(config, "urn:ietf:params:oauth:grant-type:token-exchange", parameters);
    const exchanged = await ask({
      subject_token: tokens.access_token,
      subject_token_type: prefix + "access_token",
      requested_token_type: prefix + "jwt",
      audience: job.audience,
      scope: "email",
    });
    const refused = await ask({
      subject_token: tokens.access_token,
      subject_token_type: prefix + "access_token",
      audience: "https://elsewhere.example",
    }).catch((error) => error.error);
    return { exchanged, introspected: await client.tokenIntrospection(config, exchanged.access_token), refused };
  },
  async logout(job) {
    const config = await discover(job);
    const { tokens } = await redeemed(config, job);
    const state = client.randomState();
    const url = client.buildEndSessionUrl(config, {
      post_logout_redirect_uri: job.post_logout_redirect_uri,
      id_token_hint: tokens.id_token,
      state,
    });
    const returned = await browse(url);
    let refreshed;
    try {
      await client.refreshTokenGrant(config, tokens.refresh_token);
      refreshed = "refreshed";
    } catch (error) {
      refreshed = error.error ?? error.code;
    }
    return { returned: returned.href, isStateKept: returned.searchParams.get("state") === state, refreshed };
  },
});
