"""The installed OpenSSL as the judge to compare with: its `verify` program, and its library with a callback.

The program stops at most problems; the library, with a callback that always says "go on", reports every one
in order. Parameters are given as `VerifyParams` and translated here.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from handglass.records import dataclass
from handglass.verify import SuiteB, VerifyParams

from . import build


@dataclass(frozen=True)
class Scene:
    """One thing to verify.

    Only the library, not the program, can be given: `settings`, purposes that every anchor is trusted for and
    rejected for ("TRUSTED CERTIFICATE"); `tlsa`, records as (usage, selector, matching type, data); and a
    `VerifyParams.trusted_first` that is off.
    """

    leaf: bytes
    untrusted: Sequence[bytes] = ()
    anchors: Sequence[bytes] = ()
    crls: Sequence[bytes] = ()
    params: VerifyParams = VerifyParams()
    settings: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    tlsa: Sequence[tuple[int, int, int, bytes]] = ()


@dataclass(frozen=True)
class Step:
    """One call of the callback: 0 for a problem, 1 for a certificate that was checked."""

    kind: int
    code: int
    depth: int
    on_crl_path: bool = False


_FLAGS = {
    "ignore_critical": "-ignore_critical",
    "crl_check": "-crl_check",
    "crl_check_all": "-crl_check_all",
    "policy_check": "-policy_check",
    "explicit_policy": "-explicit_policy",
    "inhibit_any": "-inhibit_any",
    "inhibit_map": "-inhibit_map",
    "policy_print": "-policy_print",
    "x509_strict": "-x509_strict",
    "extended_crl": "-extended_crl",
    "use_deltas": "-use_deltas",
    "check_ss_sig": "-check_ss_sig",
    "partial_chain": "-partial_chain",
    "no_check_time": "-no_check_time",
    "allow_proxy_certs": "-allow_proxy_certs",
}
_FLAG_BITS = {
    "crl_check": 0x4,
    "crl_check_all": 0xC,
    "ignore_critical": 0x10,
    "x509_strict": 0x20,
    "allow_proxy_certs": 0x40,
    "policy_check": 0x80,
    "explicit_policy": 0x100,
    "inhibit_any": 0x200,
    "inhibit_map": 0x400,
    "policy_print": 0x800,
    "extended_crl": 0x1000,
    "use_deltas": 0x2000,
    "check_ss_sig": 0x4000,
    "partial_chain": 0x80000,
    "no_check_time": 0x200000,
}
_SUITE_B = {SuiteB.LEVEL_128_ONLY: 0x10000, SuiteB.LEVEL_128: 0x30000, SuiteB.LEVEL_192: 0x20000}


def arguments(params: VerifyParams) -> list[str]:
    """Give the command line options that say the same."""
    found = [option for field, option in _FLAGS.items() if getattr(params, field)]
    if params.purpose is not None:
        found += ["-purpose", params.purpose.value]
    if params.depth is not None:
        found += ["-verify_depth", str(params.depth)]
    if params.time is not None:
        found += ["-attime", str(params.time)]
    if params.auth_level is not None:
        found += ["-auth_level", str(params.auth_level)]
    for policy in params.policies:
        found += ["-policy", policy]
    for host in params.hosts:
        found += ["-verify_hostname", host]
    if params.email is not None:
        found += ["-verify_email", params.email]
    if params.ip is not None:
        found += ["-verify_ip", ".".join(map(str, params.ip)) if len(params.ip) == 4 else _ipv6(params.ip)]
    if params.suite_b is not None:
        found.append(f"-suiteB_{params.suite_b.value}")
    return found


def _ipv6(address: bytes) -> str:
    return ":".join(address[at : at + 2].hex() for at in range(0, 16, 2))


@cache
def version() -> str:
    program = shutil.which("openssl")
    if program is None:
        return ""
    return subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout.split()[1]


def run_program(scene: Scene, folder: Path) -> tuple[bool, list[tuple[int, int]]]:
    """Whether `openssl verify` is content, and the (error, depth) pairs that it prints."""
    command = ["openssl", "verify", "-no-CAfile", "-no-CApath", "-no-CAstore", *arguments(scene.params)]
    leaf = folder / "leaf.pem"
    leaf.write_text(build.pem(scene.leaf))
    for option, ders, label in (
        ("-CAfile", scene.anchors, "CERTIFICATE"),
        ("-untrusted", scene.untrusted, "CERTIFICATE"),
        ("-CRLfile", scene.crls, "X509 CRL"),
    ):
        if ders:
            path = folder / f"{option[1:]}.pem"
            path.write_text("".join(build.pem(der, label) for der in ders))
            command += [option, str(path)]
    run = subprocess.run([*command, str(leaf)], capture_output=True, text=True, check=False)
    found = re.findall(r"^(?:\[CRL path\] ?)?error (\d+) at (\d+) depth lookup", run.stderr, re.MULTILINE)
    assert run.returncode in {0, 2}, run.stderr
    return run.returncode == 0, [(int(code), int(depth)) for code, depth in found]


# --- the library ----------------------------------------------------------------------------------

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


@cache
def library() -> Any:
    """Libcrypto 3.0, None where it is not installed."""
    found = ctypes.util.find_library("crypto")
    try:
        lib = ctypes.CDLL(found or "libcrypto.so.3")
        lib.OpenSSL_version.restype = ctypes.c_char_p
        if not lib.OpenSSL_version(0).startswith(b"OpenSSL 3.0."):
            return None
    except (OSError, AttributeError):
        return None
    for name in (
        "d2i_X509",
        "d2i_X509_CRL",
        "X509_STORE_new",
        "X509_STORE_CTX_new",
        "OPENSSL_sk_new_null",
        "X509_STORE_CTX_get0_param",
        "X509_STORE_CTX_get0_parent_ctx",
        "OBJ_txt2obj",
    ):
        getattr(lib, name).restype = ctypes.c_void_p
    return lib


def run_library(scene: Scene) -> tuple[int, int, list[Step]]:
    """(return value, final error, every call of a callback that always goes on)."""
    lib = library()
    steps: list[Step] = []

    def callback(ok: int, ctx: int) -> int:
        handle = ctypes.c_void_p(ctx)
        steps.append(
            Step(
                ok,
                lib.X509_STORE_CTX_get_error(handle),
                lib.X509_STORE_CTX_get_error_depth(handle),
                bool(lib.X509_STORE_CTX_get0_parent_ctx(handle)),
            )
        )
        return 1

    keep = _CALLBACK(callback)
    store = ctypes.c_void_p(lib.X509_STORE_new())
    for der in scene.anchors:
        certificate = _certificate(lib, der)
        for add, purposes in zip(
            (lib.X509_add1_trust_object, lib.X509_add1_reject_object), scene.settings, strict=True
        ):
            for purpose in purposes:
                add(certificate, ctypes.c_void_p(lib.OBJ_txt2obj(purpose.encode(), 1)))
        lib.X509_STORE_add_cert(store, certificate)
        lib.X509_free(certificate)
    untrusted = ctypes.c_void_p(lib.OPENSSL_sk_new_null())
    for der in scene.untrusted:
        lib.OPENSSL_sk_push(untrusted, _certificate(lib, der))
    crls = ctypes.c_void_p(lib.OPENSSL_sk_new_null())
    for der in scene.crls:
        lib.OPENSSL_sk_push(crls, _crl(lib, der))
    leaf = _certificate(lib, scene.leaf)
    ctx = ctypes.c_void_p(lib.X509_STORE_CTX_new())
    _set_params(lib, ctypes.c_void_p(_param_of(lib, store)), scene.params)
    lib.X509_STORE_CTX_init(ctx, store, leaf, untrusted)
    lib.X509_STORE_CTX_set0_crls(ctx, crls)
    connection = _with_records(lib, ctx, scene.tlsa) if scene.tlsa else None
    effective = ctypes.c_void_p(lib.X509_STORE_CTX_get0_param(ctx))
    if not scene.params.trusted_first:
        lib.X509_VERIFY_PARAM_clear_flags(effective, ctypes.c_ulong(0x8000))
    if scene.params.no_alt_chains:
        lib.X509_VERIFY_PARAM_set_flags(effective, ctypes.c_ulong(0x100000))
    lib.X509_STORE_CTX_set_verify_cb(ctx, keep)
    outcome = lib.X509_verify_cert(ctx)
    error = lib.X509_STORE_CTX_get_error(ctx)
    lib.X509_STORE_CTX_free(ctx)
    if connection is not None:
        _ssl().SSL_free(connection)
    lib.X509_STORE_free(store)
    free = ctypes.cast(lib.X509_free, ctypes.c_void_p)
    lib.OPENSSL_sk_pop_free(untrusted, free)
    lib.OPENSSL_sk_pop_free(crls, ctypes.cast(lib.X509_CRL_free, ctypes.c_void_p))
    lib.X509_free(leaf)
    lib.ERR_clear_error()
    return outcome, error, steps


@cache
def _ssl() -> Any:
    lib = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
    for name in ("TLS_method", "SSL_CTX_new", "SSL_new", "SSL_get0_dane"):
        getattr(lib, name).restype = ctypes.c_void_p
    return lib


@cache
def _ssl_context() -> ctypes.c_void_p:
    lib = _ssl()
    context = ctypes.c_void_p(lib.SSL_CTX_new(ctypes.c_void_p(lib.TLS_method())))
    lib.SSL_CTX_dane_enable(context)
    return context


def _with_records(
    lib: Any, ctx: ctypes.c_void_p, records: Sequence[tuple[int, int, int, bytes]]
) -> ctypes.c_void_p:
    """Give a verification TLSA records; they belong to a connection, which has to live as long."""
    ssl = _ssl()
    connection = ctypes.c_void_p(ssl.SSL_new(_ssl_context()))
    ssl.SSL_dane_enable(connection, b"server.test")
    for usage, selector, matching, data in records:
        kinds = ctypes.c_uint8(usage), ctypes.c_uint8(selector), ctypes.c_uint8(matching)
        assert ssl.SSL_dane_tlsa_add(connection, *kinds, data, ctypes.c_size_t(len(data))) == 1
    lib.X509_STORE_CTX_set0_dane(ctx, ctypes.c_void_p(ssl.SSL_get0_dane(connection)))
    return connection


def _param_of(lib: Any, store: ctypes.c_void_p) -> int:
    lib.X509_STORE_get0_param.restype = ctypes.c_void_p
    return int(lib.X509_STORE_get0_param(store))


def readable(der: bytes) -> bool:
    """Whether OpenSSL reads it as a certificate at all."""
    lib = library()
    try:
        lib.X509_free(_certificate(lib, der))
    except ValueError:
        lib.ERR_clear_error()
        return False
    return True


def _certificate(lib: Any, der: bytes) -> ctypes.c_void_p:
    return _read(lib.d2i_X509, der)


def _crl(lib: Any, der: bytes) -> ctypes.c_void_p:
    return _read(lib.d2i_X509_CRL, der)


def _read(reader: Any, der: bytes) -> ctypes.c_void_p:
    buffer = ctypes.c_char_p(der)
    found = reader(None, ctypes.byref(buffer), ctypes.c_long(len(der)))
    if not found:
        raise ValueError("OpenSSL does not read this")
    return ctypes.c_void_p(found)


def _set_params(lib: Any, param: ctypes.c_void_p, params: VerifyParams) -> None:
    flags = sum({bit for field, bit in _FLAG_BITS.items() if getattr(params, field)} - {0x4, 0xC})
    flags |= 0xC if params.crl_check_all else 0x4 if params.crl_check else 0
    if params.suite_b is not None:
        flags |= _SUITE_B[params.suite_b]
    lib.X509_VERIFY_PARAM_set_flags(param, ctypes.c_ulong(flags))
    if params.purpose is not None:
        index = lib.X509_PURPOSE_get_by_sname(params.purpose.value.encode())
        lib.X509_PURPOSE_get0.restype = ctypes.c_void_p
        purpose = lib.X509_PURPOSE_get_id(ctypes.c_void_p(lib.X509_PURPOSE_get0(index)))
        lib.X509_VERIFY_PARAM_set_purpose(param, purpose)
    if params.depth is not None:
        lib.X509_VERIFY_PARAM_set_depth(param, params.depth)
    if params.auth_level is not None:
        lib.X509_VERIFY_PARAM_set_auth_level(param, params.auth_level)
    if params.time is not None:
        lib.X509_VERIFY_PARAM_set_time(param, ctypes.c_long(params.time))
    for policy in params.policies:
        found = ctypes.c_void_p(lib.OBJ_txt2obj(policy.encode(), 1))
        lib.X509_VERIFY_PARAM_add0_policy(param, found)
    if params.policies:
        lib.X509_VERIFY_PARAM_set_flags(param, ctypes.c_ulong(0x80))
    for host in params.hosts:
        lib.X509_VERIFY_PARAM_add1_host(param, host.encode(), ctypes.c_size_t(0))
    if params.email is not None:
        lib.X509_VERIFY_PARAM_set1_email(param, params.email.encode(), ctypes.c_size_t(0))
    if params.ip is not None:
        lib.X509_VERIFY_PARAM_set1_ip(param, params.ip, ctypes.c_size_t(len(params.ip)))
