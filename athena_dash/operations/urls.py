"""Addresses of support and admins: failures, replays, feeds, practices."""

from django.urls import path

from athena_dash.operations.views import (
    alerts,
    connect,
    failure,
    failures,
    feeds,
    members,
    metrics,
    policies,
    practices,
    push,
    push_credentials,
    replays,
)

urlpatterns = [
    path("metrics", metrics.metrics, name="metrics"),
    path("failures", failures.failures, name="failures"),
    path("failures/groups/<str:fingerprint>", failures.failure_group, name="failure-group"),
    path(
        "failures/groups/<str:fingerprint>/acknowledge", failures.acknowledge_group, name="acknowledge-group"
    ),
    path("failures/groups/<str:fingerprint>/mute", failures.mute_group, name="mute-group"),
    path("failures/<int:pk>", failure.failure, name="failure"),
    path("failures/<int:pk>/replay", failure.replay_failure, name="replay-failure"),
    path("failures/<int:pk>/reveal", failure.reveal_failure, name="reveal-failure"),
    path("replays", replays.replays, name="replays"),
    path("replays/plan", replays.plan_replay, name="plan-replay"),
    path("replays/start", replays.start_replay, name="start-replay"),
    path("replays/<int:pk>", replays.replay, name="replay"),
    path("replays/<int:pk>/report.csv", replays.replay_report, name="replay-report"),
    path("replays/<int:pk>/pause", replays.move_replay, {"move": "pause"}, name="pause-replay"),
    path("replays/<int:pk>/resume", replays.move_replay, {"move": "resume"}, name="resume-replay"),
    path("replays/<int:pk>/cancel", replays.move_replay, {"move": "cancel"}, name="cancel-replay"),
    path("feeds", feeds.feeds, name="feeds"),
    path("feeds/check/<slug:slug>", feeds.check_completeness, name="check-completeness"),
    path("feeds/<int:pk>", feeds.feed, name="feed"),
    path("feeds/<int:pk>/pause", feeds.move_feed, {"move": "pause"}, name="pause-feed"),
    path("feeds/<int:pk>/resume", feeds.move_feed, {"move": "resume"}, name="resume-feed"),
    path("feeds/<int:pk>/run", feeds.move_feed, {"move": "run"}, name="run-feed"),
    path("practices", practices.practices, name="practices"),
    path("practices/new", connect.connect_practice, name="connect-practice"),
    path("practices/<slug:slug>", practices.practice, name="practice"),
    path("practices/<slug:slug>/check", practices.check_practice, name="check-practice"),
    path("practices/<slug:slug>/pause", practices.pause_practice, name="pause-practice"),
    path("practices/<slug:slug>/resume", practices.resume_practice, name="resume-practice"),
    path("practices/<slug:slug>/members", members.members, name="members"),
    path("practices/<slug:slug>/members/<int:pk>", members.change_member, name="change-member"),
    path("practices/<slug:slug>/alerts", alerts.alerts, name="alerts"),
    path("practices/<slug:slug>/push", push_credentials.push_credentials, name="push-credentials"),
    path("push/<slug:slug>/athena", push.push_events, name="push-events"),
    path("push/<slug:slug>/ingest/<slug:resource>", push.push_records, name="push-records"),
    path("practices/<slug:slug>/policies", policies.policies, name="policies"),
]
