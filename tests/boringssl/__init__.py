"""Our engine under BoringSSL's test runner: the program that the runner starts, and what is expected to differ.

The runner is not ours and not here; docs/conformance.md says where it is found and how it is started.
"""
