"""An HTTP session that times out instead of waiting for ever, and retries transient failures.

What belongs here: what every HTTP source needs: time-outs, retries with backoff and jitter, a CA file, no proxy to
loopback. What does not: signing in, and anything about a particular source.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, wait_exponential_jitter
from urllib3.exceptions import NewConnectionError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
REPEATABLE = frozenset({"GET", "HEAD", "DELETE"})
BUSY = frozenset({420, 429, 503})  # the server did not take the request: any method may be sent again
BROKEN = frozenset({500, 502, 504})  # it may have taken the request: only repeatable methods are sent again
PATIENCE_SECONDS = 120.0  # of waiting between attempts: enough for a server to restart or fail over during a long run
FIRST_CONTACT_SECONDS = 7.0  # if no server ever answered: a wrong address is likelier than a server that is down
LONGEST_CALL_SECONDS = 600.0  # including the attempts themselves: one that times out takes minutes
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0
LONGEST_ASKED_WAIT_SECONDS = 60.0  # by `Retry-After`


class RetryingSession(requests.Session):
    """A `requests.Session` with time-outs and retries on every call.

    A transient answer (busy, broken gateway) is requested again; after the last attempt it is returned as it is. A
    broken connection is made again; after the last attempt the exception is raised. Once a call is given up, later
    calls to that host are given up sooner, until one of them gets an answer: a run that reads many objects does not
    wait out an outage for each.

    Args:
        ca_file: CA bundle to trust instead of the system's.
        timeout: Seconds to connect, and between two bytes of the answer.
        patience: Seconds of waiting after which a call is given up; 0 for a single attempt.
        sleep: Waits between attempts; tests pass one that does not wait.
    """

    def __init__(
        self,
        *,
        ca_file: Path | None = None,
        timeout: tuple[float, float] = (10, 120),
        patience: float = PATIENCE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._ca_file = ca_file
        self._timeout = timeout
        self._patience = patience
        self._sleep = sleep
        self._known_hosts: set[str] = set()
        self._away_hosts: set[str] = set()

    def request(
        self,
        method: str | bytes,
        url: str | bytes,
        *args: Any,
        is_repeatable: bool = False,
        receive: Callable[[requests.Response], None] | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Send a request as `requests.Session.request` does, and retry where that can help.

        Args:
            method: HTTP method.
            url: The address.
            *args: As `requests.Session.request` takes them.
            is_repeatable: Whether sending it twice does no harm, although its method does not say so.
            receive: Takes the body of a successful answer as it comes, instead of holding it in memory. Called again
                for every attempt, because a connection may break within the body.
            **kwargs: As `requests.Session.request` takes them.
        """
        may_repeat = is_repeatable or (method.decode() if isinstance(method, bytes) else method).upper() in REPEATABLE
        kwargs.setdefault("timeout", self._timeout)
        if self._ca_file:
            kwargs["verify"] = str(self._ca_file)  # per request, because `session.verify` loses to REQUESTS_CA_BUNDLE
        host = urlsplit(url.decode() if isinstance(url, bytes) else url).hostname or ""
        if host in LOOPBACK:
            kwargs["proxies"] = {"no_proxy": host}
        retrying = Retrying(
            stop=lambda state: self._is_enough(host, state),
            wait=_seconds_to_wait,
            retry=retry_if_result(lambda answer: _may_pass(may_repeat, answer))
            | retry_if_exception(lambda error: _may_reconnect(may_repeat, error)),
            retry_error_callback=lambda state: self._give_up(host, state),
            sleep=self._sleep,
        )
        answer: requests.Response = retrying(self._ask, method, url, receive, *args, **kwargs)
        self._known_hosts.add(host)
        if answer.status_code not in BUSY | BROKEN:
            self._away_hosts.discard(host)
        return answer

    def _ask(
        self,
        method: str | bytes,
        url: str | bytes,
        receive: Callable[[requests.Response], None] | None,
        *args: Any,
        **kwargs: Any,
    ) -> requests.Response:
        """One attempt, including its body."""
        if receive is None:
            return super().request(method, url, *args, **kwargs)
        answer = super().request(method, url, *args, **{**kwargs, "stream": True})
        with answer:
            if answer.ok:
                receive(answer)
            else:
                _ = answer.content  # an error is short, and is inspected later
        return answer

    def _is_enough(self, host: str, state: RetryCallState) -> bool:
        """Whether to give up a call that has failed so far."""
        assert state.outcome is not None  # tenacity asks after an attempt
        if not state.outcome.failed:
            self._known_hosts.add(host)
        is_unknown = host not in self._known_hosts and isinstance(
            state.outcome.exception(), requests.exceptions.ConnectionError
        )
        elapsed = state.seconds_since_start or 0.0
        if is_unknown or host in self._away_hosts:
            return max(state.idle_for, elapsed) >= min(FIRST_CONTACT_SECONDS, self._patience)
        return state.idle_for >= self._patience or elapsed >= LONGEST_CALL_SECONDS

    def _give_up(self, host: str, state: RetryCallState) -> Any:
        """Return the last answer, or raise the last exception."""
        assert state.outcome is not None
        self._away_hosts.add(host)
        return state.outcome.result()


def _may_pass(may_repeat: bool, answer: requests.Response) -> bool:
    return answer.status_code in BUSY or (may_repeat and answer.status_code in BROKEN)


def _may_reconnect(may_repeat: bool, error: BaseException) -> bool:
    if isinstance(error, requests.exceptions.SSLError):
        return False  # a certificate does not become trusted by asking again
    if isinstance(error, requests.exceptions.ConnectTimeout) or _was_never_sent(error):
        return True
    passing = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    return may_repeat and isinstance(error, passing)


def _was_never_sent(error: BaseException) -> bool:
    return bool(error.args) and isinstance(getattr(error.args[0], "reason", None), NewConnectionError)


def _seconds_to_wait(state: RetryCallState) -> float:
    answer = state.outcome.result() if state.outcome and not state.outcome.failed else None
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    if asked.isdigit():
        return min(float(asked), LONGEST_ASKED_WAIT_SECONDS)
    return wait_exponential_jitter(initial=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS, jitter=FIRST_WAIT_SECONDS)(
        state
    )


def explain(error: requests.RequestException) -> str:
    """Why a connection failed, in a few words and without the request's headers or parameters."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "it did not accept a connection in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy on the way refused"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "it broke off its answer"
    if isinstance(
        error, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema)
    ):
        return "its address is not a web address"
    return "the connection was refused or broken, or its name is unknown"
