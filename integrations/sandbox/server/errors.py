"""The refusals of athenaOne v1 and of its gateway, with the bodies that were recorded (athena-api.md 2.0)."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal: HTTP status and a JSON body, or plain text when the gateway itself speaks."""

    def __init__(self, status: int, body: dict[str, object] | str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def refused(status: int, error: str, detail: str | None = None) -> ApiError:
    body: dict[str, object] = {"error": error}
    if detail is not None:
        body["detailedmessage"] = detail
    return ApiError(status, body)


def missing_fields(*names: str) -> ApiError:
    return ApiError(
        400,
        {
            "missingfields": list(names),
            "invalidfields": [],
            "error": "Additional fields are required.",
        },
    )


def invalid_field(name: str, detail: str) -> ApiError:
    return ApiError(
        400,
        {
            "missingfields": [],
            "invalidfields": [name],
            "error": "The data provided is invalid.",
            "detailedmessage": detail,
        },
    )


def bad_token() -> ApiError:
    return refused(
        401,
        "Invalid Access Token.",
        "The access token provided is not valid. Please verify the token is correct and provided as a bearer "
        "token in the authorization header.",
    )


def access_denied() -> ApiError:
    """One body for wrong client, wrong secret and missing scope alike: athena does not say which."""
    return ApiError(
        401,
        {
            "detailedmessage": "Policy evaluation failed for this request, "
            "please check the policy configurations.",
            "error": "access_denied",
        },
    )


def bad_permissions() -> ApiError:
    return refused(401, "Incorrect permissions.", "Bad auth.")


def no_practice() -> ApiError:
    return refused(404, "Invalid practice.", "The practice ID does not exist.")


def no_such(thing: str) -> ApiError:
    """athena's wording for an unknown id is not recorded; the 404 is."""
    return refused(404, f"The {thing} ID does not exist.", f"Invalid {thing.upper()}ID.")


def not_subscribed() -> ApiError:
    return refused(403, "Changed messages require setup (subscription) that has not been done.")


def no_service() -> ApiError:
    return ApiError(404, "Service not registered with API gateway.")
