"""The fuzz target for certificates and what comes with them: `python -m fuzz.documents [inputs [seed]]`.

The invariant: a reader gives a result that says what is wrong, or raises the one error that it documents; in bounded
time, and for a run that measures it (`memory`), in bounded memory. `explode` makes chains that are well-formed and
meant to cost too much: in path building, in policy trees, in name constraints, in revocation lists.
"""

from __future__ import annotations

import json
import random
import sys
import time
import tracemalloc
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import ocsp

from fuzz.mutate import mutate
from fuzz.mutate_der import mutate_der
from handglass.cli.sessions import SessionFile, SessionFileError, encode_session, read_session, write_session
from handglass.crypto.container_errors import ContainerError
from handglass.crypto.containers import (
    load_certificate_entries,
    load_crls,
    load_dh_parameters,
    load_pkcs12,
    load_private_key,
)
from handglass.crypto.throwaway import self_signed
from handglass.records import dataclass, field, replace
from handglass.registry.code_points import CipherSuite, ProtocolVersion
from handglass.verify import Certificate, Crl, Purpose, TrustStore, VerifyParams, verify_chain
from handglass.verify.certificate_text import certificate_text
from handglass.verify.ct_logs import CtLog, CtLogError, read_logs
from handglass.verify.dane import DaneRecords, TlsaError, parse_record, read_record
from handglass.verify.ocsp import read_response
from handglass.verify.ocsp_judge import judge_response, must_staple
from handglass.verify.ocsp_text import response_text
from handglass.verify.sct import judge_timestamps
from handglass.verify.sct_text import report_text
from verify.support import build, scenes, scenes_extensions, scenes_revocation
from verify.support.openssl import Scene

SECONDS = 3.0
"""Processor time for one input; the machine may be slow, and the longest ones are well below a second."""
BYTES = 64 << 20
"""Memory beyond what there was before, for one input."""
SECRET = b"secret"

EVERYTHING = VerifyParams(
    time=build.NOW,
    purpose=Purpose.SSL_SERVER,
    hosts=("server.test",),
    email="me@example.test",
    ip=bytes(4),
    auth_level=2,
    crl_check_all=True,
    extended_crl=True,
    use_deltas=True,
    policies=(scenes.POLICY,),
    explicit_policy=True,
    policy_print=True,
    x509_strict=True,
    check_ss_sig=True,
    allow_proxy_certs=True,
)


# What is read.


@cache
def chains() -> list[Scene]:
    """Give chains and lists of all kinds, a few hundred of the thousands that the comparison with OpenSSL has."""
    generators = (
        scenes.single_faults,
        scenes_extensions.name_constraints,
        scenes_extensions.policies,
        scenes_extensions.proxies,
        scenes_extensions.resources,
        scenes_extensions.explicit_curves,
        scenes_revocation.scopes,
        scenes_revocation.indirect,
        scenes_revocation.deltas,
    )
    found = []
    for generator in generators:
        made = [scene for _, scene in generator()]
        found += made[:: max(1, len(made) // 30)]
    return [replace(scene, params=EVERYTHING) for scene in found]


@cache
def certificates() -> list[bytes]:
    """Give every certificate of the chains."""
    return list(
        dict.fromkeys(der for scene in chains() for der in (scene.leaf, *scene.untrusted, *scene.anchors))
    )


@cache
def crls() -> list[bytes]:
    """Give every list of the chains."""
    return list(dict.fromkeys(der for scene in chains() for der in scene.crls))


@cache
def authority() -> tuple[x509.Certificate, build.Key]:
    """Give the issuer of the plain leaf."""
    built = scenes.make(scenes.layers(3))
    return x509.load_der_x509_certificate(built[1].der), built[1].key


@cache
def plain_leaf() -> bytes:
    """Give that leaf."""
    return scenes.make(scenes.layers(3))[2].der


@cache
def responses() -> list[bytes]:
    """Give OCSP responses about that leaf: good, revoked, with a nonce, with a certificate in them."""
    issuer, key = authority()
    at = datetime.fromtimestamp(build.NOW, UTC)
    found = []
    for status in ocsp.OCSPCertStatus:
        revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=x509.load_der_x509_certificate(plain_leaf()),
            issuer=issuer,
            algorithm=hashes.SHA1(),
            cert_status=status,
            this_update=at,
            next_update=at,
            revocation_time=at if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, issuer).certificates([issuer])
        builder = builder.add_extension(x509.OCSPNonce(b"nonce"), critical=False)
        signed = builder.sign(key.private, hashes.SHA256())  # type: ignore[arg-type]  # it is an EC key
        found.append(signed.public_bytes(serialization.Encoding.DER))
    return found


@cache
def timestamp_lists() -> list[bytes]:
    """Give lists with one and with three timestamps (RFC 6962 §3.3)."""
    one = b"\0" + bytes(32) + build.NOW.to_bytes(8, "big") + b"\0\2ab" + b"\4\3" + b"\0\6signed"
    entry = len(one).to_bytes(2, "big") + one
    return [len(body).to_bytes(2, "big") + body for body in (entry, entry * 3)]


@cache
def bundles() -> list[bytes]:
    """Give PKCS#12 files, whose passphrases cost one round, and private keys in several forms."""
    key = build.ec_key("bundle").private
    own = x509.load_der_x509_certificate(self_signed(datetime.now(UTC), ["x.test"]).certificate)
    quick = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(1)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .build(SECRET)
    )
    locks = (quick, serialization.NoEncryption())
    found = [
        pkcs12.serialize_key_and_certificates(b"x", key, None, [own], lock)  # type: ignore[arg-type]  # an EC key
        for lock in locks
    ]
    forms = serialization.PrivateFormat
    for form in (forms.PKCS8, forms.TraditionalOpenSSL):
        for encoding in (serialization.Encoding.DER, serialization.Encoding.PEM):
            found.append(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return found


@cache
def texts() -> list[bytes]:
    """Give TLSA records, lists of logs in both forms, PEM, and session files."""
    key = b64encode(build.ec_key("log").spki).decode()
    logs = {"operators": [{"name": "x", "logs": [{"description": "d", "key": key, "state": {"usable": {}}}]}]}
    session = SessionFile(
        version=ProtocolVersion.TLS1_2,
        suite=CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA,
        session_id=bytes(32),
        secret=bytes(48),
        ticket=b"ticket",
        hostname="server.test",
        certificate=plain_leaf(),
    )
    pem = (
        build.pem(plain_leaf())
        + build.pem(plain_leaf(), "TRUSTED CERTIFICATE")
        + build.pem(crls()[0], "X509 CRL")
    )
    return [
        f"3 1 1 {'ab' * 32}".encode(),
        f"enabled_logs = a\n[a]\ndescription = d\nkey = {key}\n".encode(),
        json.dumps(logs).encode(),
        pem.encode(),
        write_session(session).encode(),
        encode_session(session),
    ]


# What reads it.


def read_certificate(data: bytes) -> None:
    """Everything that is asked of a certificate alone."""
    certificate = Certificate(data)
    text = certificate_text(certificate)
    assert "\x1b" not in text
    assert certificate.readable or certificate.problems
    must_staple(certificate)
    store = TrustStore([certificate])
    verify_chain(certificate, [certificate], store, EVERYTHING, build.NOW)
    with suppress(TlsaError):
        dane = DaneRecords([read_record(2, 0, 0, data)]).judge()
        verify_chain(certificate, [certificate], TrustStore(), EVERYTHING, build.NOW, dane=dane)


def read_crl(data: bytes) -> None:
    """A list, for a chain that it might be about."""
    leaf, issuer = (
        Certificate(plain_leaf()),
        Certificate(authority()[0].public_bytes(serialization.Encoding.DER)),
    )
    verify_chain(leaf, [issuer], TrustStore([issuer], [Crl(data)]), EVERYTHING, build.NOW, crls=[Crl(data)])


def read_ocsp(data: bytes) -> None:
    """A response: its text and its verdict."""
    issuer = Certificate(authority()[0].public_bytes(serialization.Encoding.DER))
    response_text(read_response(data))
    assert judge_response(data, Certificate(plain_leaf()), issuer, build.NOW).sentence


def read_timestamps(data: bytes) -> None:
    """A list of timestamps: its text and its verdicts."""
    log = CtLog("log", build.ec_key("log").spki)
    leaf = Certificate(plain_leaf())
    report_text(judge_timestamps(leaf, None, {bytes(32): log}, build.NOW * 1000, extension=data, ocsp=data))


def read_bundle(data: bytes) -> None:
    """A PKCS#12 file or a private key, with and without a passphrase."""
    for secret in (None, SECRET):
        for load in (load_pkcs12, load_private_key):
            try:
                load(data, secret)
            except ContainerError as problem:
                assert str(problem)  # noqa: PT017  (a reader may raise it, with a sentence, or succeed)


def read_text(data: bytes) -> None:
    """Everything that a file of text may be given to."""
    readers: tuple[tuple[Callable[[bytes], object], type[Exception]], ...] = (
        (load_certificate_entries, ContainerError),
        (load_crls, ContainerError),
        (load_dh_parameters, ContainerError),
        (read_logs, CtLogError),
        (read_session, SessionFileError),
        (lambda given: parse_record(given.decode("latin-1")), TlsaError),
    )
    for read, error in readers:
        try:
            read(data)
        except error as problem:
            assert str(problem)  # noqa: PT017  (as above)


def read_chain(source: random.Random) -> None:
    """A whole scene, with damage in one of its parts."""
    scene = source.choice(chains())
    part = source.choice(("leaf", "untrusted", "anchors", "crls"))
    damaged = mutate_der(source, scene.leaf, certificates())
    if part != "leaf":
        parts = [mutate_der(source, each, certificates()) for each in getattr(scene, part)]
        scene = replace(scene, **{part: parts})
    else:
        scene = replace(scene, leaf=damaged)
    verify_scene(scene)


def verify_scene(scene: Scene) -> None:
    """Verify, and look at what came of it as the programs do."""
    result = verify_chain(
        Certificate(scene.leaf),
        [Certificate(der) for der in scene.untrusted],
        TrustStore([Certificate(der) for der in scene.anchors]),
        scene.params,
        0,
        crls=[Crl(der) for der in scene.crls],
    )
    assert all(event.text for event in result.problems)


# Chains that are meant to cost too much.


def explode(source: random.Random) -> None:
    """Verify one of them; which and how large, the source decides."""
    verify_scene(source.choice((same_names, many_policies, many_names, many_entries, many_points))(source))


def same_names(source: random.Random) -> Scene:
    """Certificates that could all be each other's issuers: same names, few keys, in any order, some of them trusted."""
    keys = [build.ec_key(f"circle {number}") for number in range(3)]
    names = [build.name(f"CN=circle {number}") for number in range(3)]
    made = [
        build.certificate(
            source.choice(names),
            source.choice(keys),
            None,
            [build.basic_constraints(), build.key_usage(build.CERT_SIGN)],
            issuer_name=source.choice(names),
            issuer_key=source.choice(keys),
            serial=number + 1,
        ).der
        for number in range(source.randrange(20, 120))
    ]
    params = replace(EVERYTHING, depth=source.choice((3, 100, 1 << 30)), partial_chain=source.random() < 0.3)
    anchors = source.sample(made, source.randrange(4))
    return Scene(made[0], made[1:], anchors, (), params)


def many_policies(source: random.Random) -> Scene:
    """Every level maps many policies to many (CVE-2023-0464)."""
    policies = [f"{scenes.POLICY}.{number}" for number in range(source.randrange(5, 45))]
    layers = scenes.layers(source.randrange(3, 6))
    for layer in layers[1:]:
        layer.extensions["pol"] = build.policies(
            *policies, *source.sample([build.ANY_POLICY], source.randrange(2))
        )
        pairs = [(one, two) for one in policies for two in policies]
        layer.extensions["map"] = build.policy_mappings(
            *source.sample(pairs, source.randrange(1, len(pairs)))
        )
    return scenes.scene(scenes.make(layers), EVERYTHING)


def many_names(source: random.Random) -> Scene:
    """Many names under many constraints, at every level."""
    layers = scenes.layers(source.randrange(3, 6))
    makers: tuple[Callable[[int], bytes], ...] = (
        lambda number: build.dns(f"h{number}.test"),
        lambda number: build.email(f"m{number}@x.test"),
        lambda number: build.ip(number.to_bytes(4, "big")),
        lambda number: build.directory(build.name("C=XX", f"CN={number}")),
    )
    make = source.choice(makers)
    for layer in layers[1:]:
        bases = [make(number) for number in range(source.randrange(1000))]
        if make is makers[2]:
            bases = [build.ip(number.to_bytes(4, "big") + b"\xff" * 4) for number in range(len(bases))]
        half = len(bases) // 2
        layer.extensions["nc"] = build.name_constraints(bases[:half], bases[half:])
        names = [make(number) for number in range(source.randrange(1, 1000))]
        layer.extensions["san"] = build.alternative_names(*names)
    return scenes.scene(scenes.make(layers), EVERYTHING)


def many_entries(source: random.Random) -> Scene:
    """Lists with many entries, and many lists of one issuer, also partial ones and deltas."""
    built = scenes.make(scenes.layers(3))
    entries = [build.revoked(1000 + number) for number in range(source.randrange(10_000))]
    lists = [build.crl(built[1], entries)]
    for number in range(source.randrange(60)):
        kind = source.choice((build.issuing_point(reasons=[number % 8 + 1]), build.delta_indicator(1), b""))
        lists.append(build.crl(built[1], (), [build.crl_number(number), *([kind] if kind else [])]))
    return scenes.scene(built, EVERYTHING, crls=lists)


def many_points(source: random.Random) -> Scene:
    """Many distribution points, each of another CRL issuer, against lists that are indirect."""
    layers = scenes.layers(3)
    points = [
        build.distribution_point(
            [build.uri(f"http://{number}/")], [number % 8 + 1], build.name(f"CN={number}")
        )
        for number in range(source.randrange(800))
    ]
    layers[2].extensions["cdp"] = build.distribution_points(*points)
    built = scenes.make(layers)
    lists = [
        build.crl(built[1], (), [build.issuing_point([build.uri(f"http://{number}/")], indirect=True)])
        for number in range(source.randrange(40))
    ]
    return scenes.scene(built, EVERYTHING, crls=lists)


# The runs.

READERS: Mapping[str, Callable[[random.Random], None]] = {
    "certificates": lambda source: read_certificate(_damaged(source, certificates())),
    "chains": read_chain,
    "revocation lists": lambda source: read_crl(_damaged(source, crls())),
    "OCSP responses": lambda source: read_ocsp(_damaged(source, responses())),
    "timestamp lists": lambda source: read_timestamps(
        mutate(source, source.choice(timestamp_lists()), certificates())
    ),
    "PKCS#12 files and keys": lambda source: read_bundle(_damaged(source, bundles())),
    "files of text": lambda source: read_text(mutate(source, source.choice(texts()), texts())),
    "chains meant to explode": explode,
}
"""Each makes one input and has it read."""


def _damaged(source: random.Random, samples: Sequence[bytes]) -> bytes:
    return mutate_der(source, source.choice(samples), certificates())


@dataclass()
class Report:
    """What a run did."""

    inputs: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)


def run(name: str, inputs: int, seed: int, report: Report, *, memory: bool = False) -> None:
    """Let one reader read so many inputs; raises AssertionError, with what repeats it, where the invariant fails."""
    for samples in (certificates, crls, responses, bundles, texts):
        samples()  # made once, and not on any input's account
    for number in range(inputs):
        source = random.Random(f"{name} {seed} {number}")
        began = time.process_time()
        peak = 0
        try:
            with measured() if memory else _unmeasured() as used:
                READERS[name](source)
            peak = used[0]
        except Exception as problem:
            raise AssertionError(f"{name}, seed {seed}, input {number}: {problem!r}") from problem
        seconds = time.process_time() - began
        report.inputs[name] += 1
        report.slowest[name] = max(seconds, report.slowest.get(name, 0))
        report.largest[name] = max(peak, report.largest.get(name, 0))
        assert memory or seconds < SECONDS, f"{name}, seed {seed}, input {number}: {seconds:.1f} s"
        assert peak < BYTES, f"{name}, seed {seed}, input {number}: {peak} bytes"


@contextmanager
def measured() -> Iterator[list[int]]:
    """Measure how much memory is used at most; the list gets the number of bytes."""
    used = [0]
    tracemalloc.start()
    try:
        yield used
        used[0] = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@contextmanager
def _unmeasured() -> Iterator[list[int]]:
    yield [0]


def main() -> None:
    """Share so many inputs as the command line says among the readers, from the seed that it says."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    shares = dict.fromkeys(READERS, inputs // 7)
    shares["chains meant to explode"] = inputs // 300
    for name, share in shares.items():
        report, began = Report(), time.perf_counter()
        run(name, share, seed, report)
        run(name, share // 100, seed + 1, report, memory=True)
        seconds = time.perf_counter() - began
        print(
            f"{report.inputs[name]:8} {name}: {seconds:.0f} s, the slowest {1000 * report.slowest[name]:.0f} ms, "
            f"the largest {report.largest[name] / 1024:.0f} KiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
