"""The file that `oauthcore init` writes: every setting, with its default and what it is for."""

from __future__ import annotations

from urllib.parse import urlsplit

from oauthcore import Secret

_SAMPLE = """\
# The configuration of an oauthcore authorization server.
#
# What stands behind a # is the default, or an example. Check changes with `oauthcore check`; a running server reads the
# file again on SIGHUP. A secret may be written here, or be { env = "NAME" } or { file = "path" }. Relative paths are
# relative to this file. Times are in seconds, sizes in bytes.

# The URL that clients know this server by, exactly. https, unless it is on this machine.
issuer = "%(issuer)s"

# Successors of refresh tokens, form tokens and sessions are made with it: keep it secret, and the same for all workers.
token_key = "%(token_key)s"

# Addresses and ports, or unix: and a path.
bind = ["%(bind)s"]

# A file, or a URL as in "postgresql://user:password@host/database" (see `oauthcore db`), "mysql://…" or
# "redis://:password@host/0?prefix=oauthcore"; also { env = "NAME" } or { file = "path" }.
storage = "sqlite:oauthcore.db"
# FULL: what was answered is on the disk. NORMAL is faster, and may lose the last moments when the power fails.
# synchronous = "FULL"

# Processes that share the work.
# workers = 1

# [tls]
# certificate = "certificate.pem"
# key = "key.pem"
# client_certificates = "none"       # or "optional", "required"; then also
# client_ca = "clients.pem"          # who signs them, or
# client_self_signed = "known.pem"   # certificates that nobody signs, each as it is
# client_certificates_at = []        # of the addresses in bind, those where clients are asked: ["0.0.0.0:8443"]

# What a connection may have.
# [limits]
# target = 8192
# head = 16384
# body = 65536
# requests = 1000                    # in one connection
# connections = 1000                 # at once, in each worker
# connections_per_address = 100      # a tenth of them, unless you say so; for IPv6 per /64, for named proxies none
# head_time = 10
# body_time = 20
# idle_time = 75
# write_time = 30
# wait_time = 5                      # for a place, when all connections are taken, or those of an address
# drain_time = 20                    # for what runs, when the server is to end
# refusals_per_minute = 600          # of a client from one address; ten times as many from an address; 0: no limit

# Reverse proxies that are believed about the client's address and scheme, by X-Forwarded-For and X-Forwarded-Proto.
# Behind one that is not named nobody has an address: wrong passwords are counted together, and /metrics is closed.
# [proxies]
# trusted = ["10.0.0.0/8"]
# trusted_unix = false
# The certificates of clients whose TLS ends there; the proxies have to take this header off what clients send. See
# docs/mutual-tls.md.
# [proxies.client_certificate]
# format = "rfc9440"                 # in Client-Cert; or "nginx", "haproxy", "envoy", with other headers
# name = ""                          # of another header than the usual one
# chains = ""                        # in which they say whether an authority was verified: "X-SSL-Client-Verify"; or
# refuses_unverified = false         # true: they hand on no certificate without one

# Requests that the server itself makes go to public https addresses that public authorities vouch for, and to these.
# [outgoing]
# extra_ca_file = "ca.pem"
# private_hosts = ["rp.internal", "10.1.0.0/16"]

# [paths]
# authorization = "/authorize"
# pushed_authorization_request = "/par"
# token = "/token"
# introspection = "/introspect"
# revocation = "/revoke"
# registration = "/register"
# userinfo = "/userinfo"
# jwks = "/jwks"
# resume = "/authorize/resume"
# login = "/login"
# approve = "/approve"
# account = "/account"
# logout = "/logout"
# end_session = "/end-session"
# device_authorization = "/device_authorization"
# device = "/device"
# backchannel_authentication = "/bc-authorize"
# requests = "/requests"

# [policy]
# preset = "oauth21"                 # or "oauth20": also what OAuth 2.1 has left out
# code_binding = "pkce_or_nonce"     # a confidential OpenID client may leave PKCE out where it sends a nonce; or "pkce"
# unknown_scope = "ignore_in_openid" # a scope that the client is not registered with is left out of OpenID requests and
#                                    # refused by OAuth's; or "ignore", or "refuse"; one client's own goes before
# refresh_rotation = "always"        # or "unless_sender_constrained": not where a confidential client proves its key
# What follows is shut, and opened by its name, here or in `allow` of one client:
#   "confidential_without_pkce"      confidential clients may leave out PKCE and nonce: see docs/without-pkce.md
#   "plain_pkce"                     code_challenge_method plain, as of old
#   "implicit"                       response types that put access tokens into URLs
#   "password"                       the password grant (here only)
#   "endpoint_audience"              client assertions whose aud is the token endpoint's URL, as OIDC Core 9 has it
#   "offline_without_consent"        offline_access without prompt=consent
#   "untrusted_redirects"            errors to sites of clients that nobody has approved, without a page
#   "grants_outlive_session"         grants without offline_access go on when the person has signed out
#   "one_word_scheme"                redirect URIs of native applications with a scheme of their own, as in cursor://
#   "pushed_redirect_uris"           confidential clients may push redirect URIs that they are not registered with
#   "insecure_transport"             http where https is demanded: for development
# allow = []
# implies = {}                       # files = ["files:read"]: who may have or has allowed the one, the other as well

# [lifetimes]
# authorization_code_lifetime = 60
# access_token_lifetime = 300
# refresh_token_lifetime = 2592000   # unused, for so long
# grant_lifetime = 15552000          # used or not
# interaction_lifetime = 3600
# consent_lifetime = 31536000
# refresh_retry_lifetime = 90

# OpenID Connect: its tables make this server a provider. It takes pip install "oauthcore[oidc]".
%(oidc)s
# scope_claims = { groups = ["groups"] }     # beside profile, email, address and phone
# request_objects = true
# request_uris = true                # those that a client is registered with
# op_policy_uri = "https://example.com/policy"
# op_tos_uri = "https://example.com/terms"
# service_documentation = "https://example.com/developers"
#
# What tokens are signed with: keys in the storage, sealed under the token key, which turn by themselves.
# [oidc.keys]
# algorithms = ["RS256"]             # "PS256", "ES256", "ES384", "EdDSA", "Ed25519"
# active_lifetime = 7776000          # how long a key signs
# published_lifetime = 172800        # before it signs, so that everybody knows it by then
# signed_lifetime = 86400            # the longest that a signed token may be good for
# hint_lifetime = 15552000           # how long ID tokens that come back, at logout say, are known after that
# jwks_lifetime = 3600               # how long clients may keep the published keys
# cache_lifetime = 60                # after which each worker looks again
# Or keys in files, PEM or JWK, the first of each kind signing; then leave algorithms out.
# files = []                         # "signing.pem", "former.pem"
# hint_files = []                    # keys that are published no more, for ID tokens that come back

# Clients that register themselves, as MCP's do: this table turns it on. See docs/registration.md.
# [registration]
# open = false                       # true: anybody; else who has a token of `oauthcore registration-token add`
# scope = "email"                    # what they may ask for at most; all that the metadata names, if left out
# grant_types = ["authorization_code", "refresh_token", "implicit"]
# schemes = ["cursor"]               # of one word, that redirect URIs may have because one application is known by it
# needs_approval = false             # true: of no use before `oauthcore client approve`
# idempotent = false                 # true: public clients of the same metadata are one, which can't change itself
# id_token_claims = "requested"      # or "all", as for [[clients]]
# unused_lifetime = 86400            # then a client that got no token is forgotten; here and below 0 is no limit
# max_clients = 10000                # that registered themselves
# max_from_address = 100             # within an hour, for IPv6 from a /64
# max_from_user = 30                 # that are kept because a user allowed them something, within thirty days
# [[registration.software_statements]]
# issuer = "https://registry.example"
# jwks_file = "registry.jwks"

# Clients that push their authorization requests before they send the browser: this table turns it on. See
# docs/pushed-requests.md.
# [pushed_requests]
# lifetime = 60                      # in which the request_uri can be used: 5 to 600
# required = false                   # true: of every client, not only of those that are registered so
# max_from_address = 1000            # requests of public clients within the lifetime; 0 is no limit

# Tokens that are bound to a key of the client, which signs each request with it: this table turns it on. See
# docs/dpop.md.
# [dpop]
# algorithms = ["ES256", "EdDSA", "Ed25519", "PS256", "ES384", "RS256"]
# lifetime = 60                      # of a proof, from its iat
# skew = 30                          # by which its iat may be ahead, for clocks differ
# required = false                   # true: of every client, not only of those that are registered so
# require_nonce = false              # true: a proof needs a nonce of this server
# nonce_lifetime = 300               # for which a nonce is good at least, and twice as long at most

# What is demanded of signed requests. See docs/signed-requests.md.
# [request_objects]
# required = false                   # true: every request has to be one
# max_lifetime = 0                   # 3600: aud, nbf and exp, at most an hour apart; 0 demands none of them

# The assertions by which clients authenticate: private_key_jwt and client_secret_jwt.
# [client_assertions]
# audience_as_string = false         # true: aud is the issuer, and no list of it (FAPI 2.0)
# max_lifetime = 3600
# algorithms = ["PS256", "ES256"]    # by default all

# Clients that show a certificate in the TLS handshake: this table lets them authenticate by it. Where it comes from is
# in [tls] or [proxies]. See docs/mutual-tls.md.
# [mutual_tls]
# methods = ["tls_client_auth", "self_signed_tls_client_auth"]
# endpoint_aliases = "https://mtls.as.example"       # where clients are asked for certificates, and no browser is
# What clients may ask a user to allow once, beside scopes. See docs/authorization-details.md.
# [[authorization_details]]
# type = "payment_initiation"
# required = ["instructedAmount", "creditorName"]
# optional = ["reference"]           # a member that is in neither list is refused
# description = "Pay {instructedAmount.amount} {instructedAmount.currency} to {creditorName}"

# A set of rules that settings, clients and requests have to obey: oauth21, rfc9700, oidc_basic, mcp, fapi2_security or
# fapi2_message_signing. oauthcore check --rules shows how each rule stands. See docs/profiles.md.
# [profile]
# name = "fapi2_security"
# report_only = false                # true: what breaks a rule is answered, logged and counted
# parts = []                         # of fapi2_message_signing: "requests", "responses", "introspection"

# Devices without a browser, whose user enters a code at another one: this table turns them on. See docs/device.md.
# [device]
# lifetime = 600                     # in which the user has to answer
# interval = 5                       # between two questions of the device
# verification_uri = "https://example.com/link"    # a short address that leads to the page; else that of the page
# max_wrong_of_user = 10             # codes within an hour; here and below 0 is no limit
# max_wrong_from_address = 100       # within an hour, for IPv6 from a /64
# max_from_address = 200             # devices of public clients that are begun within the lifetime

# Clients that ask users who are elsewhere (CIBA): this table turns them on, and takes [oidc]. See docs/ciba.md.
# [ciba]
# lifetime = 120                     # in which the user has to answer, unless the client says for how long
# max_lifetime = 600                 # what a client may say at most
# interval = 5                       # between two questions of the client whether the user has answered
# max_pending = 5                    # requests of one client that wait for one user; here and below 0 is no limit
# max_pending_of_user = 20           # of all clients together
# max_unknown = 100                  # hints of one client within an hour that may mean no user
# require_signed = false             # true: every request is a JWT signed by the client
# require_binding_message = false    # true: every request has a message that the user compares
# max_request_lifetime = 3600        # of a signed request, from its nbf on
# notify_url = "https://push.example/ciba"         # is told of each request, to send its user a message
# notify_token = "…"                 # as a bearer token, so that it knows who tells it

# APIs that tokens are issued for, which clients name by `resource`. See docs/resources.md.
# [[resources]]
# uri = "https://api.example/mcp"    # a token's aud is this very string
# name = "Files"                     # for the consent page
# scopes = "files files:read"        # all that it understands; if left out, whatever there is
# access_token_format = "jwt"        # or "opaque"; else as the client is registered. A JWT takes [oidc]
# access_token_lifetime = 300        # else as is usual for the client
# access_token_signing_alg = "RS256"
# client_ids = ["my_app"]            # that may have tokens for it; if left out, all
# introspected_by = ["my_api"]       # clients that may ask about tokens for it, and about no others
# claims = ["groups"]                # of the user, which it learns from its tokens; see docs/claims.md
# fixed_claims = { tenant = "eu" }   # the same in each of its tokens
#
# [resource_policy]
# default = "https://api.example/mcp"    # what a request means that names none; else this server itself
# trailing_slash = "exact"           # or "ignored": /mcp and /mcp/ are one
# unregistered = "refuse"            # or "any": every https URI may be named, or what is
# below = []                         # "https://mcp.example/servers"

# Clients that need not be registered, but say what they are at the https URL that is their client_id, as MCP's do: this
# table turns them on. See docs/client-id-metadata.md.
# [client_id_metadata]
# scope = "email"                    # what they may ask for at most; all that the metadata names, if left out
# grant_types = ["authorization_code", "refresh_token"]
# allowed_hosts = ["claude.ai", "*.example.com"]   # only these; anybody's, if left out
# denied_hosts = []
# min_fresh = 300                    # a document counts for so long at least, and
# max_fresh = 86400                  # for so long at most, whatever its Cache-Control says
# new_per_minute = 120               # documents of strangers that each worker fetches
# loopback = false                   # true: for tests, documents of localhost as well, by http

# Clients that may exchange a token for another (RFC 8693), which are registered for the grant type
# urn:ietf:params:oauth:grant-type:token-exchange as well; the first rule that fits counts. See docs/token-exchange.md.
# [[token_exchange]]
# client_ids = ["gateway"]           # who may exchange
# subject_client_ids = ["my_app"]    # tokens that were issued to these clients; their own, if left out; or "*", and
# subject_audience = ["https://gateway.example"]   # what the token to be exchanged has to be for
# audience = ["https://api.example/mcp"]           # what the new one is for; if left out, what the first one is for
# subject_token_types = ["access_token"]           # or "refresh_token", "id_token"; or "jwt", and then also
# subject_issuers = []               # trusted issuers whose tokens are taken
# requested_token_types = ["access_token", "jwt"]
# mode = "delegation"                # the new one says in act who acts; or "impersonation"
# scope = "email"                    # at most this of what the first one has; all of it, if left out
# extra_scope = "audit"              # and this, though the first one does not have it
# lifetime = 60                      # else as is usual; it ends no later than the first one
# require_may_act = false            # true: the first one has to say who may act
# What follows is shut, and opened by its name:
#   "outlive_subject"                the new token may end later than the first one
#   "bound_subject"                  tokens that are bound to a key are taken without a proof of it
#   "public_client"                  clients without a secret or a key may exchange, too
# allow = []
#
# Clients that may have an assertion of who their user is, for another authorization server (ID-JAG).
# [[id_jag]]
# client_ids = ["my_app"]
# audience = "https://auth.chat.example"           # that server's issuer
# client_id_there = "f53f191f9311af35"             # what the client is called there
# subject_token_types = ["id_token"]               # or "refresh_token" as well
# resources = ["https://api.chat.example"]         # that may be named
# scope = "chat.read"                # that may be asked for
# lifetime = 300
# email = false                      # true: with the e-mail address, where the user let the client know it
# sector_identifier_uri = "https://chat.example/sector.json"   # of that server as a client here with pairwise subjects
# allow = []                         # "outlive_subject"; "public_subject": show it to a client that has pairwise ones

# Servers whose signed assertions are exchanged for tokens: of identity providers, CI services, clusters. See
# docs/jwt-bearer.md.
# [[trusted_issuers]]
# issuer = "https://token.actions.githubusercontent.com"   # the exact iss of its assertions
# uses = ["jwt-bearer"]              # "id-jag": of an enterprise's identity provider; "token-exchange": see above
# jwks_uri = "https://token.actions.githubusercontent.com/.well-known/jwks"   # found by its metadata, if left out
# jwks_file = "issuer.jwks"          # or its public keys, instead
# algorithms = ["RS256"]             # all that are asymmetric, if left out
# audience = []                      # what may stand in aud for this server, beside its issuer
# client_ids = ["my_app"]            # that may present them; all that are registered for the grant type, if left out
# single_use = true                  # false: until they expire, as workloads read theirs from a file
# max_lifetime = 3600
# keys_lifetime = 600
# skew = 60
# [[trusted_issuers.subjects]]       # for whom they stand, by their claims: the first that fits
# claims = { repository = "acme/api", ref = "refs/heads/main" }
# client_id = "deployer"             # a client that needs no secret of its own; or
# subject = "alice"                  # a user; or
# subject_claim = "sub"              # the claim that names the user
# scope = "email"                    # at most

# By an account such as alice@example.com, clients find this server: this table turns it on. See docs/webfinger.md.
# [webfinger]
# domains = ["example.com"]          # whose /.well-known/webfinger is answered by this server

# What scopes mean, as people read it when they are asked; the metadata names them, too.
[scopes]
email = { en = "See your e-mail address", de = "Ihre E-Mail-Adresse sehen" }
profile = { en = "See your name and picture", de = "Ihren Namen und Ihr Bild sehen" }

# [passwords]
# minimum_length = 15                # characters of a new one, as NIST requires without a second factor
# refuse_common = true               # and none that many people have
# memory = 19456                     # KiB, for each check
# passes = 2
# at_once = 2                        # checks, in each worker
# free_attempts = 5                  # for an account from one address; then each is waited for
# free_attempts_per_address = 50     # also for an account from anywhere
# longest_wait = 60
# forget_time = 900
# known_device_lifetime = 15552000   # a browser that was signed in from is not slowed down with strangers; 0 for none

# Secrets of clients that stand in this file; those that the server draws have 43 characters.
# [client_secrets]
# minimum_length = 16                # characters; below 22 there is a warning all the same
# refuse_common = true               # and none that many people would try

# [logs]
# format = "text"                    # or "json"
# level = "info"
# access = true
# traces = "traces"                  # a folder for the latest 1000 decisions, for `oauthcore replay`; slow

# Who may read /metrics, by address; whose is not known may not. /healthz and /readyz tell everybody that they are well.
# [metrics]
# allowed_from = ["127.0.0.0/8", "::1"]

# What has expired is removed in the background, in batches; by each worker, and they don't mind each other.
# [purge]
# enabled = true                     # false where `oauthcore purge` is run by something else, every so often
# every = 60
# pause = 0.05                       # after a full batch, for requests to get their turn
# batch = 500

# [pages]
# name = "Example"
# logo = "logo.svg"                  # or an https URL
# accent = "#1f5fbf"
# accent_dark = "#86b4ff"
# templates = "templates"            # whose files go before the package's
# translations = "locale"            # likewise
# languages = ["en", "de"]
# session_lifetime = 28800

# Clients and users can stand here, too; they are known while they do. Others are in the storage: see
# `oauthcore client add` and `oauthcore user add`.
# [[clients]]
# client_id = "my_app"
# secret = { env = "MY_APP_SECRET" }
# name = "My App"
# organization_name = "My Company"
# client_uri = "https://app.example/"
# redirect_uris = ["https://app.example/callback"]
# scope = "email profile"
# id_token_claims = "all"            # claims of its scopes, such as email, in its ID tokens, too: the default where its
#                                    # scope has openid; "requested": only those that it requests by name
# require = ["group:staff", "group:dev|group:ops"]   # who may use it: users in a group of each; see
#                                    # docs/who-may-use-what.md
# # With a secret, in the header or in the form as the client likes, unless one method is named:
# token_endpoint_auth_method = "private_key_jwt"     # then no secret, and
# jwks_uri = "https://app.example/jwks"              # or jwks_file = "my_app.jwks"
# # or with [mutual_tls], "self_signed_tls_client_auth" with jwks_uri or jwks_file, or "tls_client_auth" with one of
# # tls_client_auth_subject_dn = "CN=my-app,O=My Company"   # or ..._san_dns, ..._san_uri, ..._san_ip, ..._san_email
#
# [[users]]
# username = "alice"
# password_hash = "…"                # of `oauthcore user hash-password`
# claims = { name = "Alice Liddell", email = "alice@example.com", email_verified = true }
# groups = ["staff", "dev"]          # which clients may require; with a scope for it they are told, as the claim groups
"""


def sample(issuer: str, token_key: Secret, *, openid: bool = False) -> str:
    """Return the file's text; a server for this machine listens where its issuer says."""
    parts = urlsplit(issuer)
    bind = f"localhost:{parts.port or 80}" if parts.scheme == "http" else "127.0.0.1:8000"
    oidc = "[oidc]" if openid else "# [oidc]"
    return _SAMPLE % {"issuer": issuer, "token_key": token_key.reveal(), "bind": bind, "oidc": oidc}
