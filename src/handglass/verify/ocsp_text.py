"""OCSP responses as OpenSSL prints them (openssl-ocsp(1) -resp_text), and s_client's block around them."""

from __future__ import annotations

from handglass.crypto.pem import encode_pem

from . import objects
from .certificate_text import certificate_text, signature_lines
from .extension_text import extension_lines
from .ocsp import BASIC, BasicResponse, CertId, OcspResponse, SingleResponse, response_status_text
from .ocsp_judge import REASONS

__all__ = ["response_text", "status_block"]

_LINE = "=" * 38


def status_block(response: OcspResponse | None) -> str:
    """Return what s_client -status prints right after "CONNECTED": the response, or that there is none."""
    if response is None:
        return "OCSP response: no response sent\n"
    return f"OCSP response: \n{_LINE}\n{response_text(response)}{_LINE}\n"


def response_text(response: OcspResponse) -> str:
    """Return a response as text that ends in a line feed; what could not be read stands at its end."""
    lines = ["OCSP Response Data:"]
    if response.status is not None:
        lines.append(
            f"    OCSP Response Status: {response_status_text(response.status)} (0x{response.status:x})"
        )
    if response.response_type is not None:
        name = objects.long_name(response.response_type) or response.response_type
        unknown = "" if response.response_type == BASIC else " (unknown response type)"
        lines.append(f"    Response Type: {name}{unknown}")
    text = "\n".join(lines) + "\n"
    if response.basic is not None:
        text += _basic_text(response.basic)
    return text + "".join(f"    Problem: {problem}\n" for problem in response.problems)


def _basic_text(basic: BasicResponse) -> str:
    lines = [f"    Version: {basic.version} (0x{basic.version - 1:x})"]
    if basic.responder_name is not None:
        lines.append(f"    Responder Id: {basic.responder_name.format()}")
    else:
        lines.append(f"    Responder Id: {(basic.responder_key_hash or b'').hex().upper()}")
    lines += [f"    Produced At: {basic.produced_at.text}", "    Responses:"]
    for single in basic.responses:
        lines += _single_lines(single)
    if basic.extensions:
        lines += ["    Response Extensions:", *extension_lines(basic.extensions, 8)]
    lines += signature_lines(basic.signature_algorithm, basic.signature)
    text = "\n".join(lines) + "\n"
    for certificate in basic.certificates:
        text += certificate_text(certificate) + encode_pem("CERTIFICATE", certificate.der)
    return text


def _single_lines(single: SingleResponse) -> list[str]:
    lines = [*_cert_id_lines(single.cert_id), f"    Cert Status: {single.status.value}"]
    if single.revocation_time is not None:
        lines.append(f"    Revocation Time: {single.revocation_time.text}")
    if single.reason is not None:
        word = REASONS.get(single.reason, "(UNKNOWN)")
        lines.append(f"    Revocation Reason: {word} (0x{single.reason:x})")
    lines.append(f"    This Update: {single.this_update.text}")
    if single.next_update is not None:
        lines.append(f"    Next Update: {single.next_update.text}")
    if single.extensions:
        lines += ["        Response Single Extensions:", *extension_lines(single.extensions, 12)]
    return [*lines, ""]


def _cert_id_lines(cert_id: CertId) -> list[str]:
    content = cert_id.serial_content
    serial = content.lstrip(b"\0") or b"\0"
    return [
        "    Certificate ID:",
        f"      Hash Algorithm: {cert_id.digest or cert_id.algorithm}",
        f"      Issuer Name Hash: {cert_id.issuer_name_hash.hex().upper()}",
        f"      Issuer Key Hash: {cert_id.issuer_key_hash.hex().upper()}",
        f"      Serial Number: {serial.hex().upper()}",
    ]
