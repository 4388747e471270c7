"""The page that a Prometheus scrapes; and how a site lets its own rules say who may.

path("metrics", views.metrics)                      # a token, or staff who may view policies
path("metrics", from_our_network(views.unguarded))  # the site's own decorator
"""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lifecycle.conf import conf
from lifecycle.metrics.collector import choose_encoder, own_registry

PERMISSION = "lifecycle.view_policystate"
SCHEME = "bearer"


@transaction.non_atomic_requests
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics, to whoever sends LIFECYCLE_METRICS_TOKEN as a bearer token, and to staff who may
    view policies; 401 to others.
    """
    if not (has_token(request) or is_staff(request)):
        refused = HttpResponse("A token is needed.\n", status=401, content_type="text/plain")
        refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refused
    return unguarded(request)


@transaction.non_atomic_requests
@never_cache
@require_safe
def unguarded(request: HttpRequest) -> HttpResponse:
    """All metrics to everybody. Only inside a decorator of the site that says who may: check E036.

    200 also where a database does not answer: `lifecycle_up` says so.
    """
    try:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
    except (TypeError, ValueError):  # a version that is none
        encode, content_type = choose_encoder("")
    return HttpResponse(encode(own_registry()), content_type=content_type)


def has_token(request: HttpRequest) -> bool:
    """Whether the request has the token; where none is set, nobody has it. Asks no database."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == SCHEME and bool(conf.METRICS_TOKEN)
    return is_bearer and constant_time_compare(token.strip(), conf.METRICS_TOKEN)


def is_staff(request: HttpRequest) -> bool:
    """Whether somebody of the staff is logged in who may view policies."""
    user = getattr(request, "user", None)
    return bool(user and user.is_active and user.is_staff and user.has_perm(PERMISSION))
