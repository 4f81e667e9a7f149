"""Measure Handglass beside the installed OpenSSL: `make bench`, or `python -m bench --help`.

Every figure is a ratio against OpenSSL's program in the same run on the same machine: both sides take turns
(A B A B …), and the medians are compared. Absolute numbers are shown for orientation; they depend on the machine.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The throwaway certificates and the process handling are the tests'.
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
