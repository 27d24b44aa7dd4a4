"""The rows of all checks, one file a family, in the order in which a deployment is looked at."""

from oauthcore_doctor.checks import (
    authorization,
    cors,
    discovery,
    endpoints,
    keys,
    lent_client,
    members,
    origins,
    resource,
    transport,
)
from oauthcore_doctor.finding import Check

CHECKS: tuple[Check, ...] = (
    *transport.CHECKS,
    *discovery.CHECKS,
    *members.CHECKS,
    *origins.CHECKS,
    *authorization.CHECKS,
    *keys.CHECKS,
    *endpoints.CHECKS,
    *cors.CHECKS,
    *resource.CHECKS,
    *lent_client.CHECKS,
)
