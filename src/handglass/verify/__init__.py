"""Certificate path building and judgement, with OpenSSL's numbered outcomes.

`verify_chain` is the whole of it; `Certificate` and `Crl` read what comes from outside, leniently.
"""

from .certificate import Auxiliary, Certificate
from .codes import VerifyCode, alert_for, text_of
from .crl import Crl
from .dane_judge import DaneJudge
from .names import Name
from .params import NAMED_SETS, HostFlags, Purpose, SuiteB, Trust, VerifyParams, to_ascii
from .path import verify_chain
from .policy_facts import Policy, PolicyOutcome
from .raw_key import verify_raw_key
from .result import Decide, Event, Kind, VerifyResult
from .store import Source, TrustStore, from_entry

__all__ = [
    "NAMED_SETS",
    "Auxiliary",
    "Certificate",
    "Crl",
    "DaneJudge",
    "Decide",
    "Event",
    "HostFlags",
    "Kind",
    "Name",
    "Policy",
    "PolicyOutcome",
    "Purpose",
    "Source",
    "SuiteB",
    "Trust",
    "TrustStore",
    "VerifyCode",
    "VerifyParams",
    "VerifyResult",
    "alert_for",
    "from_entry",
    "text_of",
    "to_ascii",
    "verify_chain",
    "verify_raw_key",
]
