"""What the Salesforce routes share: an address's base, a request's JSON, and an answer's."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from simulation.servers.errors import SalesforceError

DATA = "/services/data/v{version}"


class JsonAnswer(JSONResponse):
    """JSON with Salesforce's content type."""

    media_type = "application/json;charset=UTF-8"


def base_of(request: Request) -> str:
    """`/services/data/vXX.0` of the request's version."""
    return DATA.format(version=request.path_params["version"])


async def read_json(request: Request) -> dict[str, Any]:
    """The request's body.

    Raises:
        SalesforceError: 400: it is not a JSON object.
    """
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise SalesforceError(400, "JSON_PARSER_ERROR", str(error)) from None
    if not isinstance(body, dict):
        raise SalesforceError(400, "JSON_PARSER_ERROR", "An object is expected")
    return body
