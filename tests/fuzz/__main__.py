"""`python -m fuzz [inputs [seed]]`, with src and tests on the path."""

from fuzz.target import main

main()
