"""A message that is due → an e-mail, or a POST signed as Standard Webhooks has it; tried again, then given up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

import httpx
from django.core.mail import EmailMessage
from django.db import transaction

from athena_dash.core import clock
from athena_dash.operations.models import AlertMessage, AlertRoute

WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240))
LONGEST = 10.0  # seconds a receiver may take
AT_A_TIME = 20
MOST_LINES = 20  # of an e-mail; the page has them all
PREFIX = "whsec_"

log = logging.getLogger(__name__)


class NotDelivered(Exception):
    """Says why, free of PHI and of secrets."""


def send_due() -> int:
    """Each message in a transaction that holds it, so that no two workers send it. Returns how many were tried."""
    for tried in range(AT_A_TIME):
        with transaction.atomic():
            waiting = AlertMessage.objects.select_for_update(skip_locked=True).filter(due_at__lte=clock.now())
            message = waiting.order_by("due_at").first()
            if message is None:
                return tried
            attempt(message)
    return AT_A_TIME


def attempt(message: AlertMessage) -> None:
    now = clock.now()
    message.attempts += 1
    try:
        deliver(message, AlertRoute.objects.filter(practice=message.practice_id).first(), now)
    except NotDelivered as error:
        message.problem = str(error)
        waits = WAITS[message.attempts - 1 :]
        message.due_at = now + waits[0] if waits else None
        log.warning("an alert was not delivered", extra={"alert_message": message.pk})
    else:
        message.sent_at, message.due_at, message.problem = now, None, ""
    message.save()


def deliver(message: AlertMessage, route: AlertRoute | None, now: datetime) -> None:
    """The route as it is now: an address corrected since gets what waits."""
    if message.channel == AlertMessage.Channel.EMAIL and route and route.email:
        mail(message, route.email)
    elif message.channel == AlertMessage.Channel.WEBHOOK and route and route.webhook_url:
        post(message, route, now)
    else:
        raise NotDelivered("The address was removed.")


def mail(message: AlertMessage, address: str) -> None:
    lines = [f"{one['type'].capitalize()}: {one['sentence']}" for one in message.transitions]
    count = len(lines)
    if count > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"and {count - MOST_LINES} more."]
    subject = f"{message.practice}: {lines[0] if count == 1 else f'{count} alerts opened or closed'}"
    try:
        EmailMessage(one_line(subject), "\n".join(lines) + "\n", to=[address]).send()
    except (SMTPException, OSError) as error:
        raise NotDelivered(f"The mail server did not take it ({type(error).__name__}).") from None


def one_line(subject: str) -> str:
    return " ".join(subject.split())[:150]


def post(message: AlertMessage, route: AlertRoute, now: datetime) -> None:
    body = json.dumps(
        {
            "type": "alerts.changed",
            "timestamp": message.created_at.isoformat(),
            "data": {"practice": route.practice.slug, "transitions": message.transitions},
        }
    ).encode()
    headers = {
        "content-type": "application/json",
        **signature(message, route.webhook_secret or "", body, now),
    }
    try:
        with httpx.stream(
            "POST", route.webhook_url, content=body, headers=headers, timeout=LONGEST, trust_env=False
        ) as answer:  # the body of the answer is not read, nor a redirect followed
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotDelivered(f"The webhook did not answer ({type(error).__name__}).") from None
    if not 200 <= status < 300:
        raise NotDelivered(f"The webhook answered {status}.")


def signature(message: AlertMessage, secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """standardwebhooks.com: HMAC-SHA256 over id, timestamp and the bytes of the body."""
    name, stamp = str(message.message_id), str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
