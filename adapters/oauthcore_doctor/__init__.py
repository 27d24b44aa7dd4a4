"""Examine an authorization server, and a resource it protects, as their clients meet them.

A walk has three parts, and only one of them touches the network::

    Target ──▶ walk() ──▶ requests ──▶ Port ──▶ exchanges ──▶ Observations ──▶ CHECKS ──▶ findings

- `walk` (walk.py) is a generator. It yields batches of probes, a request each, and is sent what came of them. It
  decides from the documents it has seen what to look at next, and returns `Observations`: what was sent, what came
  back and when. It does no I/O, so that a test plays the server with a function.
- A `Port` carries out one probe. `NetworkPort` (network.py) is the one for real servers. It fetches with
  `oauthcore_fetch`, whose guard is opened for the hosts that the operator names and for no others: metadata must not
  lead it into the network around it. It follows no redirect: the walk follows those of discovery, one step, and
  records both answers.
- A check (finding.py) is a row: an id, a title, the section of the standard that it comes from, who it affects,
  what to do about it, and a pure function from `Observations` to sentences, one for each fault. `checks/` has the rows,
  one file a family; `CHECKS` lists them all. A check looks at one thing, and says nothing where what it needs was not
  observed: a missing document is one finding, and not thirty.
- `clients.py` is a table of its own: which widespread clients refuse a server for which fault, each row with the
  source that shows it. Its functions are of the same kind.

What a walk sends is harmless. It reads documents; sends preflights; asks the token, revocation, introspection, device
and pushed authorization endpoints as a client that does not exist; opens the authorization endpoint as that client, and
the logout endpoint without a session; and knocks at the resource without a token and with one that was never issued. It
never posts to the registration endpoint. Where the operator names a client (`Target.client`), it also sends
authorization requests that have to be refused and, with a secret, asks for a token by client credentials where the
server offers them; that only if the metadata is the issuer's own, and over https.

Severity says what a finding costs: an *error* breaks clients or security, a *warning* breaks some clients or leaves a
recommendation unheeded, a *note* is what an operator may well intend.

Not in here: how findings are shown, and how a command ends (`oauthcore_h11.cli.doctor`).
"""

from oauthcore_doctor.checks import CHECKS
from oauthcore_doctor.clients import CLIENTS, ClientTrouble, troubles
from oauthcore_doctor.examination import Report, examine, find
from oauthcore_doctor.finding import Check, Finding, Severity
from oauthcore_doctor.observations import Exchange, LentClient, Observations, Probe, Target, TlsObservation
from oauthcore_doctor.walk import TlsRequest, walk

__all__ = [
    "CHECKS",
    "CLIENTS",
    "Check",
    "ClientTrouble",
    "Exchange",
    "Finding",
    "LentClient",
    "Observations",
    "Probe",
    "Report",
    "Severity",
    "Target",
    "TlsObservation",
    "TlsRequest",
    "examine",
    "find",
    "troubles",
    "walk",
]
