"""Our verification beside the installed OpenSSL 3.0: the same problems, in the same order, at the same depths.

The library is run with a callback that always goes on, so every problem of a chain is compared; the program is run
as users run it, and its verdict, its first and its last error are compared with ours under the program's own rule of
what to go on after. Where we differ on purpose, `docs/verify-differences.md` says why, and `DIFFERENCES` which.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handglass.cli.programs.verify_program import goes_on
from handglass.crypto.containers import CertificateEntry
from handglass.verify import (
    Certificate,
    Crl,
    Decide,
    TrustStore,
    VerifyCode,
    VerifyResult,
    from_entry,
    verify_chain,
)
from handglass.verify.dane import DaneRecords, read_record
from verify.support import openssl, scenes, scenes_extensions, scenes_revocation, scenes_trust
from verify.support.openssl import Scene, Step

Generator = Callable[[], Iterator[tuple[str, Scene]]]
GENERATORS: list[Generator] = [
    scenes.single_faults,
    scenes.building,
    scenes.purposes,
    scenes.names,
    scenes.strength,
    scenes_extensions.name_constraints,
    scenes_extensions.policies,
    scenes_extensions.proxies,
    scenes_extensions.explicit_curves,
    scenes_extensions.times,
    scenes_extensions.resources,
    scenes_revocation.simple,
    scenes_revocation.scopes,
    scenes_revocation.indirect,
    scenes_revocation.deltas,
]


def difference(scene: Scene, result: VerifyResult) -> str:
    """Name the documented difference that a scene falls under; see docs/verify-differences.md."""
    crls = [Crl(der) for der in scene.crls]
    codes = {event.code for event in result.problems}
    if VerifyCode.KEYUSAGE_NO_CRL_SIGN in codes and scene.params.extended_crl:
        return "CRL issuer off the path that may not sign CRLs"
    anchor = result.chain[-1].facts
    held = [blocks for blocks in (anchor.addresses, anchor.as_numbers) if blocks is not None]
    if VerifyCode.UNNESTED_RESOURCE in codes and any(None in blocks.families.values() for blocks in held):
        return "depth of an anchor that inherits resources"
    if VerifyCode.INVALID_EXTENSION in codes and crls:
        return "malformed CRL extension"
    if any(event.on_crl_path and not event.kind for event in result.events):
        return "problem on a CRL issuer's path"
    if any(crl.base_number is not None for crl in crls) and not scene.params.extended_crl:
        return "delta CRL in place of a full one"
    return ""


needs_library = pytest.mark.skipif(openssl.library() is None, reason="no libcrypto 3.0 is installed")
needs_program = pytest.mark.skipif(
    not openssl.version().startswith("3.0."), reason="no openssl 3.0 is installed"
)


def anchors_of(scene: Scene) -> list[Certificate]:
    trusted, rejected = scene.settings
    if not trusted and not rejected:
        return [Certificate(der) for der in scene.anchors]
    return [from_entry(CertificateEntry(der, trusted or None, rejected)) for der in scene.anchors]


def verify(scene: Scene, decide: Decide | None = None) -> VerifyResult:
    return verify_chain(
        Certificate(scene.leaf),
        [Certificate(der) for der in scene.untrusted],
        TrustStore(anchors_of(scene)),
        scene.params,
        0,
        crls=[Crl(der) for der in scene.crls],
        decide=decide,
        dane=DaneRecords(read_record(*each) for each in scene.tlsa).judge() if scene.tlsa else None,
    )


@needs_library
@pytest.mark.parametrize(
    "generator",
    [*GENERATORS, scenes.alternatives, scenes_trust.trust_settings, scenes_trust.dane],
    ids=lambda generator: generator.__name__,
)
def test_every_problem_is_the_librarys(generator: Generator) -> None:
    differing = []
    documented: Counter[str] = Counter()
    count = 0
    for label, scene in generator():
        try:
            outcome, error, steps = openssl.run_library(scene)
        except ValueError:
            continue  # OpenSSL does not read a certificate that we read
        count += 1
        result = verify(scene)
        ours = [Step(event.kind, event.code, event.depth, event.on_crl_path) for event in result.events]
        if (ours, result.code, result.finished) == (steps, error, outcome > 0):
            continue
        if known := difference(scene, result):
            documented[known] += 1
        else:
            differing.append(f"{label}: OpenSSL {error} {steps}, ours {result.code} {ours}")
    print(f"{generator.__name__}: {count} scenes, {len(differing)} differ, documented: {dict(documented)}")
    assert count > 5
    assert not differing, f"{len(differing)} of {count} differ:\n" + "\n".join(differing[:20])


@needs_program
def test_verdict_first_and_last_error_are_the_programs(tmp_path: Path) -> None:
    everything = [item for generator in GENERATORS for item in generator()]
    chosen = random.Random(3).sample(everything, 600)
    differing = []
    for label, scene in chosen:
        content, printed = openssl.run_program(scene, tmp_path)
        result = verify(scene, goes_on)
        ours = [(int(event.code), event.depth) for event in result.problems]
        same = content == result.ok and printed[:1] == ours[:1] and printed[-1:] == ours[-1:]
        if not same and not difference(scene, result):
            differing.append(f"{label}: openssl {content} {printed}, ours {result.ok} {ours}")
    assert not differing, f"{len(differing)} of {len(chosen)} differ:\n" + "\n".join(differing)
