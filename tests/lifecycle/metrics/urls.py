"""Where a site may have the metrics."""

from django.http import HttpResponse
from django.urls import include, path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from lifecycle.metrics import views


def only_ours(view):
    """As a site's own decorator: by an address."""

    def inner(request):
        if request.META["REMOTE_ADDR"] != "10.0.0.1":
            return HttpResponse(status=404)
        return view(request)

    return inner


urlpatterns = [
    path("metrics", views.metrics),
    path("ours", only_ours(views.unguarded)),
    path("far/", include([path("open", views.unguarded)])),
    path("cached", never_cache(csrf_exempt(views.unguarded))),
]
