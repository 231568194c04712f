"""Addresses of the billing desk. No PHI in any of them: row ids of ours and opaque search tokens only."""

from django.urls import path

from athena_dash.worklist.views import (
    actions,
    check,
    episode,
    quality,
    review,
    today,
    unmatched,
    visit,
    visits,
)

urlpatterns = [
    path("", today.home, name="home"),
    path("today", today.today, name="today"),
    path("visits", visits.worklist, name="visits"),
    path("visits/search", visits.find, name="visit-search"),
    path("visits/assign", actions.assign_many, name="visits-assign"),
    path("visits/<int:pk>", visit.visit, name="visit"),
    path("visits/<int:pk>/reveal", visit.reveal, name="visit-reveal"),
    path("visits/<int:pk>/check", check.check, name="visit-check"),
    path("visits/<int:pk>/assign", actions.assign, name="visit-assign"),
    path("visits/<int:pk>/snooze", actions.snooze, name="visit-snooze"),
    path("visits/<int:pk>/worked", actions.worked, name="visit-worked"),
    path("visits/<int:pk>/wake", actions.wake, name="visit-wake"),
    path("visits/<int:pk>/notes", actions.note, name="visit-note"),
    path("visits/<int:pk>/episode", episode.say, name="visit-episode"),
    path("quality", quality.quality, name="quality"),
    path("quality/links", quality.links, name="quality-links"),
    path("quality/measure/<slug:slug>", quality.measure, name="quality-measure"),
    path("unmatched", unmatched.unmatched, name="unmatched"),
    path("unmatched/<int:pk>", review.review, name="review"),
    path("unmatched/<int:pk>/tie", review.tie, name="review-tie"),
    path("unmatched/<int:pk>/none", review.none, name="review-none"),
    path("unmatched/<int:pk>/undo", review.undo, name="review-undo"),
]
