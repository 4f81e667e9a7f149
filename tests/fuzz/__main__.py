"""`python -m fuzz [inputs [seed]]` damages conversations, `python -m fuzz documents …` certificates and the like."""

import sys

from fuzz import documents, target

if sys.argv[1:2] == ["documents"]:
    del sys.argv[1]
    documents.main()
else:
    target.main()
