"""Fixtures of the system tests. Run by scripts/test; SIGNET_BIN names the folder of the programs."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support import figures  # noqa: E402
from support.signet import BIN, Signet  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: the full lists; run by scripts/test-long")
    config.addinivalue_line("markers", "slow: ten seconds and more, most of them spent waiting")
    config.addinivalue_line("markers", "xdist_group(name): all of them in one process")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the full lists, not a sample")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        skip = pytest.mark.skip(reason="part of scripts/test-long")
        for item in items:
            if "long" in item.keywords:
                item.add_marker(skip)
    # Begun first, none of them is what all the others have to wait for at the end.
    items.sort(key=lambda item: "slow" not in item.keywords)


def pytest_sessionfinish(session):
    """What a process of pytest-xdist found goes to the one that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = figures.LINES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    figures.LINES += getattr(node, "workeroutput", {}).get("figures", [])


def pytest_terminal_summary(terminalreporter):
    for line in sorted(figures.LINES):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def programs():
    assert (BIN / "signetd").exists(), f"{BIN}/signetd is not built: scripts/test builds it"


@pytest.fixture
def make_signet(tmp_path):
    """Make servers that are stopped when the test ends, and must not have crashed."""
    made = []

    def make(name="signet", **options):
        server = Signet(tmp_path / name, **options)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()
        assert "Sanitizer" not in server.log(), server.log()[-4000:]
        assert "assertion failed" not in server.log(), server.log()[-4000:]


@pytest.fixture
def signet(make_signet):
    return make_signet()


@pytest.fixture
def run_server():
    """Start servers of any kind; stopped when the test ends."""
    running = []

    def run(server):
        running.append(server)
        return server.start()

    yield run
    for server in running:
        server.stop()
