"""`handglass verify`: certificates in files, judged; options, output and exit status of openssl-verify(1).

Like OpenSSL's program it ends the judgement of a certificate at the first problem that is not a matter of one
extension or date; s_client goes on after each. With -verbose each problem is followed by what exactly is wrong.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from handglass.cli.options.verify_program import VerifyOptions
from handglass.cli.own_certificates.identity import LoadError
from handglass.cli.verification.chain_parameters import BadParameterError, chain_parameters, name_flags
from handglass.cli.verification.stores import trusted_places
from handglass.crypto.containers import ContainerError, load_certificate_entries, load_crls
from handglass.net.files import MAX_REVOCATION_LIST, FileError, path_of, read_file
from handglass.net.trust import TrustError, open_trust
from handglass.records import dataclass, replace
from handglass.verify import (
    Certificate,
    Crl,
    Event,
    Kind,
    TrustStore,
    VerifyCode,
    VerifyParams,
    from_entry,
    verify_chain,
)
from handglass.verify.nameopt import ONELINE
from handglass.verify.policy_text import policy_lines

__all__ = ["Verification", "goes_on", "run", "verify_files"]


@dataclass(frozen=True, slots=True)
class Verification:
    """What all certificates of one run are judged by; `trusted` None: the anchors are those of the store."""

    store: TrustStore
    params: VerifyParams = VerifyParams()
    untrusted: Sequence[Certificate] = ()
    trusted: Sequence[Certificate] | None = None
    crls: Sequence[Crl] = ()
    name_flags: int = ONELINE
    show_chain: bool = False
    verbose: bool = False


def run(options: VerifyOptions) -> int:
    """Verify what the options name; 0 when all is well, 2 when a certificate is not, 1 when it cannot be tried."""
    try:
        verification = Verification(
            store=_store(options),
            params=chain_parameters(options.given),
            untrusted=[
                item for path in options.untrusted for item in _certificates(path, "untrusted certificates")
            ],
            trusted=_trusted(options.trusted),
            crls=[Crl(data) for path in options.crl_file for data in _crls(path)],
            name_flags=name_flags(options.nameopt),
            show_chain=options.show_chain,
            verbose=options.verbose,
        )
    except (BadParameterError, TrustError) as problem:
        print(f"verify: {problem}", file=sys.stderr)
        return 1
    except LoadError as problem:
        print(problem, file=sys.stderr)
        return 1
    return verify_files(options.certificates or (None,), verification, int(time.time()))


def verify_files(
    files: Sequence[str | None],
    verification: Verification,
    now: int,
    out: Callable[[str], object] = print,
    err: Callable[[str], object] = lambda line: print(line, file=sys.stderr),
) -> int:
    """Verify one certificate from each file (None is standard input) and print the outcomes, line by line.

    `now`: seconds since 1970. Returns 0, or 2 if a certificate is bad or cannot be read.
    """
    good = [_verify_file(file, verification, now, out, err) for file in files]
    return 0 if all(good) else 2


def goes_on(event: Event) -> bool:
    """Whether openssl-verify(1) goes on after an event."""
    return event.kind is not Kind.PROBLEM or event.code in _TOLERATED


def _verify_file(
    file: str | None,
    verification: Verification,
    now: int,
    out: Callable[[str], object],
    err: Callable[[str], object],
) -> bool:
    title = "stdin" if file is None else file
    try:
        leaf = _certificates("/dev/stdin" if file is None else file, "certificate file", title)[0]
    except LoadError as problem:
        err(str(problem))
        err("Unable to load certificate file")
        return False
    result = verify_chain(
        leaf,
        verification.untrusted,
        verification.store,
        verification.params,
        now,
        decide=goes_on,
        crls=verification.crls,
        trusted=verification.trusted,
    )
    for event in result.events:
        _print_event(event, verification, err)
        if event.kind is Kind.PROBLEM and event.code == VerifyCode.NO_EXPLICIT_POLICY:
            _print_lines(policy_lines(result.policies), err)
        if event.kind is Kind.POLICIES and event.code == VerifyCode.OK:
            _print_lines(policy_lines(result.policies), err)
    if not result.ok:
        if not result.problems:
            err(f"error {int(result.code)}: {result.failure}")
        err(f"error {title}: verification failed")
        return False
    out(f"{title}: OK")
    if verification.show_chain:
        out("Chain:")
        for depth, certificate in enumerate(result.chain):
            untrusted = " (untrusted)" if depth < result.untrusted else ""
            out(f"depth={depth}: {certificate.subject.format(verification.name_flags)}{untrusted}")
    return True


def _print_event(event: Event, verification: Verification, err: Callable[[str], object]) -> None:
    if event.kind is not Kind.PROBLEM:
        return
    if event.certificate is not None:
        err(event.certificate.subject.format(verification.name_flags))
    where = "[CRL path] " if event.on_crl_path else ""
    err(f"{where}error {int(event.code)} at {event.depth} depth lookup: {event.text}")
    if verification.verbose and event.detail:
        err(f"    {event.detail}")


def _print_lines(lines: list[str], err: Callable[[str], object]) -> None:
    for line in lines:
        err(line)


def _store(options: VerifyOptions) -> TrustStore:
    download = None
    if options.crl_download:
        from handglass.net.pki_fetch import (  # noqa: PLC0415 - only who fetches needs it
            CRL_LIMITS,
            Fetcher,
            crl_downloader,
        )

        download = crl_downloader(Fetcher(CRL_LIMITS, tell=_complain if options.verbose else lambda _: None))
    if options.trusted:
        return TrustStore(download=download)
    places = replace(trusted_places(options), beside_defaults=True)
    return TrustStore(sources=[open_trust(places)], download=download)


def _complain(words: str) -> None:
    print(f"verify: {words}", file=sys.stderr)


def _trusted(files: tuple[str, ...]) -> list[Certificate] | None:
    if not files:
        return None
    return [item for path in files for item in _certificates(path, "trusted certificates")]


def _certificates(path: str, what: str, title: str | None = None) -> list[Certificate]:
    """Read the certificates of a file, with OpenSSL's words for the ways to fail. Raises LoadError."""
    several = what != "certificate file"
    try:
        entries = load_certificate_entries(read_file(path_of(path)))
    except FileError as problem:
        kind = "certs of " if several else ""
        raise LoadError(
            f"Could not open file or uri for loading {kind}{what} from {title or path}: {problem}"
        ) from None
    except ContainerError as problem:
        kind = "any " if several else ""
        raise LoadError(f"Could not read {kind}{what} from {title or path}: {problem}") from None
    return [from_entry(entry) for entry in entries]


def _crls(path: str) -> list[bytes]:
    try:
        return load_crls(read_file(path_of(path), MAX_REVOCATION_LIST))
    except FileError as problem:
        raise LoadError(f"Could not open file or uri for loading other CRLs from {path}: {problem}") from None
    except ContainerError as problem:
        raise LoadError(f"Could not read any other CRLs from {path}: {problem}") from None


_TOLERATED = {
    VerifyCode.NO_EXPLICIT_POLICY,
    VerifyCode.CERT_HAS_EXPIRED,
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT,
    VerifyCode.INVALID_CA,
    VerifyCode.INVALID_NON_CA,
    VerifyCode.PATH_LENGTH_EXCEEDED,
    VerifyCode.INVALID_PURPOSE,
    VerifyCode.CRL_HAS_EXPIRED,
    VerifyCode.CRL_NOT_YET_VALID,
    VerifyCode.UNHANDLED_CRITICAL_EXTENSION,
    VerifyCode.PATHLEN_INVALID_FOR_NON_CA,
    VerifyCode.PATHLEN_WITHOUT_KU_KEY_CERT_SIGN,
    VerifyCode.CA_BCONS_NOT_CRITICAL,
    VerifyCode.CA_CERT_MISSING_KEY_USAGE,
    VerifyCode.KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA,
    VerifyCode.ISSUER_NAME_EMPTY,
    VerifyCode.SUBJECT_NAME_EMPTY,
    VerifyCode.EMPTY_SUBJECT_SAN_NOT_CRITICAL,
    VerifyCode.EMPTY_SUBJECT_ALT_NAME,
    VerifyCode.SIGNATURE_ALGORITHM_INCONSISTENCY,
    VerifyCode.AUTHORITY_KEY_IDENTIFIER_CRITICAL,
    VerifyCode.SUBJECT_KEY_IDENTIFIER_CRITICAL,
    VerifyCode.MISSING_AUTHORITY_KEY_IDENTIFIER,
    VerifyCode.MISSING_SUBJECT_KEY_IDENTIFIER,
    VerifyCode.EXTENSIONS_REQUIRE_VERSION_3,
}
