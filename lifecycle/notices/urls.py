"""Addresses of the links in notices: `path("keep/", include("lifecycle.notices.urls"))`."""

from django.urls import path

from lifecycle.notices.views import keep_view

app_name = "lifecycle_notices"
urlpatterns = [path("<str:token>", keep_view, name="keep")]
