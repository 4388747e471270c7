"""One page: the live notes, and one to write."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from tests.host.models import Note


@csrf_exempt
def notes(request: HttpRequest) -> HttpResponse:
    """The texts of the live notes; POST writes one."""
    if request.method == "POST":
        Note.objects.create(text=request.POST["text"])
    return HttpResponse("\n".join(Note.objects.live().values_list("text", flat=True)))


urlpatterns = [path("notes/", notes)]
