"""The page behind the link in a notice.

Opening it changes nothing, for programs open the links in mails; the button on it does, by a POST
with Django's token against forged ones. No login is asked for: who has the mail has the link.
"""

from contextlib import ExitStack
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from lifecycle.notices.keep import ANYBODY, Answer, keep, look, policy_of
from lifecycle.notices.links import read
from lifecycle.notices.words import in_words, shown_in

PAGE = "lifecycle/notice/page.html"
STATUS = {Answer.LATE: 410, Answer.GONE: 410}
UNKNOWN = "unknown"  # no link of this site


@transaction.non_atomic_requests
@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def keep_view(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with GET, keep the row with POST; 404 for what this site has not signed, 410 too late."""
    link = read(token)
    policy = policy_of(link) if link else None
    if link is None or policy is None:
        return _page(request, {"answer": UNKNOWN}, 404)
    is_meant = request.method == "POST"
    answer = keep(policy, link, _actor(request)) if is_meant else look(policy, link)
    with ExitStack() as seen:
        zone = shown_in(seen, link.language, link.time_zone)
        said = in_words(policy, link.until, zone) | {"answer": str(answer)}
        return _page(request, said, STATUS.get(answer, 200))


def _actor(request: HttpRequest) -> str:
    """Who is logged in, by key; else whoever has the link."""
    user: Any = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    return f"{user._meta.label}:{user.pk}" if known else ANYBODY


def _page(request: HttpRequest, said: dict[str, Any], status: int) -> HttpResponse:
    page = render(request, PAGE, said, status=status)
    # The address is a right. Of a page with `no-referrer` browsers send a form with `Origin: null`,
    # which Django's protection against forged ones refuses.
    page["Referrer-Policy"] = "same-origin"
    page["X-Robots-Tag"] = "noindex"
    return page
