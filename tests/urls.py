"""The demo's addresses, and those of the links in the zoo's notices."""

from django.urls import include, path

from demo.urls import urlpatterns as of_demo

urlpatterns = [*of_demo, path("keep/", include("lifecycle.notices.urls"))]
