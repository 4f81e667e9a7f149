"""What every test may ask for: the session's certificates, and the rule for absent peers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from interop.report import MatrixReport
from support.peers import require, shared_nss_database
from support.pki import Pki, shared_pki
from support.tally import Tally

# The same examples in every run, and no judgement on how long they take: other programs run too.
settings.register_profile(
    "handglass", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("handglass")


ENVIRONMENT = (
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("ssl_cert_file", "ssl_cert_dir", "ctlog_file", "openssl_conf", "sslkeylogfile"),
)
"""Variables, in either case, by which a machine would have a say in what is tested; tests that want them set them."""


def pytest_configure(config: pytest.Config) -> None:
    """Forget the machine's settings; let the process that prints print the matrix and the counts."""
    for name in [name for name in os.environ if name.lower() in ENVIRONMENT]:
        del os.environ[name]
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(MatrixReport(), "interop-matrix")
        config.pluginmanager.register(Tally(), "tally")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test whose peers are not installed (`support.peers.needs`)."""
    for mark in item.iter_markers("peer"):
        require(*mark.args)


@pytest.fixture(scope="session")
def session_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory for the whole run, the same for all pytest workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def pki(session_directory: Path) -> Pki:
    """Certificates of every key type, made once per run."""
    return shared_pki(session_directory / "pki")


@pytest.fixture(scope="session")
def nss(pki: Pki, session_directory: Path) -> Path:
    """Give an NSS database with the session's certificates, made once per run."""
    require("certutil", "pk12util", "openssl")
    return shared_nss_database(pki, session_directory / "nss")
