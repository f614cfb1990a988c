"""Wait for a condition with a deadline, never for a span of time."""

import time


def stays(condition, for_s, what="the condition", pause_s=0.1):
    """What must not happen is watched for so long: AssertionError as soon as it does."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        assert condition(), f"{what} did not stay true"
        time.sleep(pause_s)


def wait_until(condition, within_s=30, what="the condition", pause_s=0.02):
    """The first true value of condition(); AssertionError after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true in {within_s} s"
        time.sleep(pause_s)
