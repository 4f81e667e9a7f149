"""NIST's Public Key Interoperability Test Suite: every run of its case list; see vectors/pkits/README.md."""

from __future__ import annotations

import calendar
import json
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handglass.verify import Certificate, Crl, TrustStore, VerifyParams, VerifyResult, verify_chain
from handglass.verify.policy_facts import ANY_POLICY

VECTORS = Path(__file__).parent.parent / "vectors" / "pkits"
CASES: list[dict[str, Any]] = json.loads((VECTORS / "cases.json").read_text())
NOW = calendar.timegm((2022, 5, 1, 0, 0, 0))


@cache
def files() -> dict[str, bytes]:
    found = {}
    with tarfile.open(VECTORS / "pkits.tar.xz") as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
    return found


@cache
def certificate(name: str) -> Certificate:
    return Certificate(files()[f"certs/{name}"])


@cache
def crl(name: str) -> Crl:
    return Crl(files()[f"crls/{name}"])


def run(case: dict[str, Any]) -> VerifyResult:
    settings = case.get("params", {})
    params = VerifyParams(
        time=NOW,
        crl_check_all=True,
        extended_crl=True,
        use_deltas=True,
        policies=tuple(settings.get("user_initial_policy_set", (ANY_POLICY,))),
        explicit_policy=settings.get("initial_explicit_policy", False),
        inhibit_map=settings.get("initial_policy_mapping_inhibit", False),
        inhibit_any=settings.get("initial_any_policy_inhibit", False),
    )
    return verify_chain(
        certificate(case["leaf"]),
        list(map(certificate, case["sent"])),
        TrustStore([certificate("TrustAnchorRootCertificate.crt")]),
        params,
        0,
        crls=[crl("TrustAnchorRootCRL.crl"), *map(crl, case["crls"])],
    )


def test_all_of_it_is_here() -> None:
    assert len(CASES) == 254
    assert len({case["id"] for case in CASES}) == 222


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['name']}")
def test_case(case: dict[str, Any]) -> None:
    result = run(case)
    assert [int(event.code) for event in result.problems] == case["codes"], result.problems
    assert result.ok == case["valid"]
