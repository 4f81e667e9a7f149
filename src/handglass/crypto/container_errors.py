"""What goes wrong with containers of certificates and keys: one sentence each, for a person."""

from __future__ import annotations


class ContainerError(ValueError):
    """A file does not hold what was expected. The text is one sentence without a full stop, for a person."""


class WrongPassphraseError(ContainerError):
    """The pass phrase does not open the container (or it is damaged: no one can tell the two apart)."""


class PassphraseNeededError(ContainerError):
    """The container is encrypted and no pass phrase was given."""
