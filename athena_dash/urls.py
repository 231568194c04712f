"""Every address of the product; each app keeps its own list."""

from django.urls import include, path

from athena_dash.core.health import healthz
from athena_dash.operations.views.ready import readyz

urlpatterns = [
    path("", include("athena_dash.worklist.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("", include("athena_dash.accounts.urls")),
    path("", include("athena_dash.operations.urls")),
]
