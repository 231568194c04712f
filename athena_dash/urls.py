"""Every address of the product; each app keeps its own list."""

from django.urls import path

from athena_dash.core.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
]
