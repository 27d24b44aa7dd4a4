// oauth4webapi, a client of small steps: every check of the specifications is a call that can be seen here.

import * as oauth from "oauth4webapi";

import { browse, converse } from "./conversation.mjs";

async function discover(job) {
  const issuer = new URL(job.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: job.algorithm ?? "oidc" });
  return oauth.processDiscoveryResponse(issuer, response);
}

function secrets(job) {
  return job.method === "none" ? oauth.None() : oauth.ClientSecretPost(job.secret);
}

async function ask(as, job, parameters) {
  const url = new URL(as.authorization_endpoint);
  const wanted = { client_id: job.client_id, redirect_uri: job.redirect_uri, scope: job.scope, ...parameters };
  for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value);
  return browse(url);
}

await converse({
  async code(job) {
    const as = await discover(job);
    const client = { client_id: job.client_id, ...job.metadata };
    const [verifier, nonce, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce(), "s p+ü%"];
    const callback = await ask(as, job, {
      response_type: "code",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      nonce,
      state,
      ...job.parameters,
    });
    const parameters = oauth.validateAuthResponse(as, client, callback, state);
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, secrets(job), parameters, job.redirect_uri, verifier);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(as, response);
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    const answer = await oauth.userInfoRequest(as, client, tokens.access_token);
    const userinfo = await oauth.processUserInfoResponse(as, client, claims.sub, answer);
    if (job.metadata?.userinfo_signed_response_alg) await oauth.validateApplicationLevelSignature(as, answer);
    return { claims, userinfo };
  },
  // Prove a key with each request (RFC 9449), and repeat what lacks the server's nonce; then show the token as a bearer.
  async bound(job) {
    const as = await discover(job);
    const client = { client_id: job.client_id, ...job.metadata };
    const proof = { DPoP: oauth.DPoP(client, await oauth.generateKeyPair(job.algorithm_of_proofs)) };
    const nonces = [];
    const insisting = async (act) => {
      try {
        return await act();
      } catch (error) {
        if (!oauth.isDPoPNonceError(error)) throw error;
        nonces.push(error.status);
        return act();
      }
    };
    const [verifier, nonce, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce(), "s"];
    const callback = await ask(as, job, {
      response_type: "code",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      nonce,
      state,
    });
    const parameters = oauth.validateAuthResponse(as, client, callback, state);
    const tokens = await insisting(async () =>
      oauth.processAuthorizationCodeResponse(
        as,
        client,
        await oauth.authorizationCodeGrantRequest(
          as, client, secrets(job), parameters, job.redirect_uri, verifier, proof),
        { expectedNonce: nonce, requireIdToken: true },
      ),
    );
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    const userinfo = await insisting(async () =>
      oauth.processUserInfoResponse(
        as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, proof)),
    );
    const bearer = await fetch(as.userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    return { type: tokens.token_type, claims, userinfo, nonces, bearer: bearer.status };
  },
  // Sign the request, push it (RFC 9101, RFC 9126), and read the answer as a JWT (JARM).
  async pushed(job) {
    const as = await discover(job);
    const client = { client_id: job.client_id, ...job.metadata };
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const key = { key: await crypto.subtle.importKey("jwk", job.key, algorithm, false, ["sign"]), kid: job.key.kid };
    const method = oauth.PrivateKeyJwt(key);
    const [verifier, nonce, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce(), "s p+ü%"];
    const parameters = new URLSearchParams({
      client_id: job.client_id,
      redirect_uri: job.redirect_uri,
      response_type: "code",
      response_mode: "jwt",
      scope: job.scope,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      nonce,
      state,
    });
    const request = await oauth.issueRequestObject(as, client, parameters, key);
    const pushed = await oauth.pushedAuthorizationRequest(
      as, client, method, new URLSearchParams({ client_id: job.client_id, request }));
    const { request_uri, expires_in } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
    const url = new URL(as.authorization_endpoint);
    url.searchParams.set("client_id", job.client_id);
    url.searchParams.set("request_uri", request_uri);
    const answer = await oauth.validateJwtAuthResponse(as, client, await browse(url), state);
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, method, answer, job.redirect_uri, verifier);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    return { claims: oauth.getValidatedIdTokenClaims(tokens), expires_in };
  },
  async registered(job) {
    const as = await discover(job);
    const answer = await oauth.dynamicClientRegistrationRequest(as, job.metadata);
    const client = await oauth.processDynamicClientRegistrationResponse(answer);
    const verifier = oauth.generateRandomCodeVerifier();
    const callback = await ask(as, { ...job, client_id: client.client_id }, {
      response_type: "code",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state: "state",
    });
    const parameters = oauth.validateAuthResponse(as, client, callback, "state");
    const method = client.token_endpoint_auth_method === "none"
      ? oauth.None() : oauth.ClientSecretBasic(client.client_secret);
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, method, parameters, job.redirect_uri, verifier);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response);
    return { metadata: client, claims: oauth.getValidatedIdTokenClaims(tokens) };
  },
  async hybrid(job) {
    const as = await discover(job);
    const client = { client_id: job.client_id, ...job.metadata };
    const [verifier, nonce, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce(), "state"];
    const callback = await ask(as, job, {
      response_type: "code id_token",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      nonce,
      state,
      ...job.parameters,
    });
    const parameters = await oauth.validateDetachedSignatureResponse(as, client, callback, nonce, state);
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, secrets(job), parameters, job.redirect_uri, verifier);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    return { claims: oauth.getValidatedIdTokenClaims(tokens) };
  },
  // An access token that is a JWT, as a resource server in another language reads it (RFC 9068 section 4).
  async accessToken(job) {
    const as = await discover(job);
    const client = { client_id: job.client_id, ...job.metadata };
    const response = await oauth.clientCredentialsGrantRequest(as, client, secrets(job), { scope: job.scope });
    const tokens = await oauth.processClientCredentialsResponse(as, client, response);
    const request = new Request("https://api.example/", {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    return { claims: await oauth.validateJwtAccessToken(as, request, job.issuer) };
  },
  // Introspection that is signed, and encrypted to nobody (RFC 9701).
  async introspection(job) {
    const as = await discover(job);
    const client = { client_id: job.client_id, introspection_signed_response_alg: "RS256" };
    const credentials = await oauth.clientCredentialsGrantRequest(as, client, secrets(job), { scope: job.scope });
    const tokens = await oauth.processClientCredentialsResponse(as, client, credentials);
    const response = await oauth.introspectionRequest(as, client, secrets(job), tokens.access_token, {
      requestJwtResponse: true,
    });
    const described = await oauth.processIntrospectionResponse(as, client, response);
    await oauth.validateApplicationLevelSignature(as, response);
    return { described, type: response.headers.get("content-type") };
  },
});
