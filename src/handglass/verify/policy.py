"""Certificate policies (RFC 5280 §6.1): the valid policy tree, mapping, inhibiting, demanding.

The tree is that of the RFC, built level by level from below the anchor to the leaf, and pruned after each
level. Its nodes are counted: a chain made to blow it up ends the verification instead.
"""

from __future__ import annotations

from handglass.records import dataclass, field

from .certificate import Certificate
from .codes import VerifyCode
from .context import Context, InnerFailure
from .policy_facts import ANY_POLICY, Policy, PolicyFacts, PolicyOutcome, by_encoding
from .policy_facts import read as read_facts

__all__ = ["check_policies"]

MAX_NODES = 1000


def check_policies(context: Context) -> None:
    """Work out the policies of the chain and report what they lack. Raises Stopped, InnerFailure."""
    below_anchor = context.chain if context.bare_key is not None else context.chain[:-1]
    facts = [read_facts(certificate) for certificate in below_anchor]
    tree = _Tree(context, list(reversed(list(zip(below_anchor, facts, strict=True)))))
    needed, emptied, invalid = tree.survey()
    if invalid:
        for depth, (certificate, known) in enumerate(zip(below_anchor, facts, strict=True)):
            if known.invalid:
                context.problem(VerifyCode.INVALID_POLICY_EXTENSION, depth, certificate)
        return
    if not emptied:
        emptied = not tree.build()
    authority, user = (None, None) if emptied else tree.sets()
    context.policies = PolicyOutcome(needed, authority, user)
    if needed and not user:
        context.problem_without_certificate(VerifyCode.NO_EXPLICIT_POLICY)
        return
    if context.params.policy_print:
        context.policies_known()


@dataclass(slots=True, eq=False)
class _Node:
    policy: Policy
    parent: _Node | None
    children: int = 0


def _expected(level: _Level, node: _Node) -> tuple[str, ...]:
    """Give the policies that a node lets follow: those it is mapped to, else its own."""
    if level.map_inhibited or not node.policy.is_mapping:
        return (node.policy.oid,)
    return node.policy.expected


def _drop_if(node: _Node, condition: bool) -> bool:
    if condition and node.parent is not None:
        node.parent.children -= 1
    return condition


def _add_once(nodes: list[_Node], node: _Node) -> None:
    """Keep one node per policy, in the order of OpenSSL's sorted stacks.

    What came last is not sorted in yet.
    """
    nodes.sort(key=lambda known: by_encoding(known.policy.oid))
    if all(known.policy.oid != node.policy.oid for known in nodes):
        nodes.append(node)


@dataclass(slots=True)
class _Level:
    """The nodes of one depth.

    `any` is the one for anyPolicy; its certificate's facts, and what is inhibited.
    """

    facts: PolicyFacts
    any_inhibited: bool = False
    map_inhibited: bool = False
    nodes: list[_Node] = field(default_factory=list)
    any: _Node | None = None


class _Tree:
    """`path`: certificates and their policy facts, from below the anchor down to the leaf."""

    def __init__(self, context: Context, path: list[tuple[Certificate, PolicyFacts]]) -> None:
        self.params = context.params
        self.path = path
        self.count = 0
        self.levels = [_Level(PolicyFacts())]

    def survey(self) -> tuple[bool, bool, bool]:
        """Find out whether a policy is needed, whether the tree is empty at once, and defects."""
        if not self.path:
            return False, True, False
        explicit = 0 if self.params.explicit_policy else len(self.path) + 1
        emptied = False
        for certificate, facts in self.path:
            if explicit == 0 and emptied:
                break
            if facts.invalid:
                return False, False, True
            emptied = emptied or facts.policies is None
            if explicit > 0:
                explicit -= not certificate.facts.self_issued
                if facts.require_explicit is not None:
                    explicit = min(explicit, facts.require_explicit)
        return explicit == 0, emptied, False

    def build(self) -> bool:
        """Grow and prune the tree; False when nothing is left of it.

        Raises InnerFailure at too many nodes.
        """
        self._add(self.levels[0], Policy(ANY_POLICY), None)
        self._lay_levels()
        for last, level in zip(self.levels, self.levels[1:], strict=False):
            self._link_named(last, level)
            if not level.any_inhibited:
                self._link_any(last, level)
            if not self._prune(level):
                return False
        return True

    def _lay_levels(self) -> None:
        skip_any = 0 if self.params.inhibit_any else len(self.path) + 1
        skip_map = 0 if self.params.inhibit_map else len(self.path) + 1
        for index, (certificate, facts) in enumerate(self.path):
            level = _Level(facts, any_inhibited=facts.any is None)
            self_issued = certificate.facts.self_issued
            if skip_any == 0:
                level.any_inhibited |= not self_issued or index == len(self.path) - 1
            else:
                skip_any -= not self_issued
                if facts.inhibit_any is not None:
                    skip_any = min(skip_any, facts.inhibit_any)
            if skip_map == 0:
                level.map_inhibited = True
            else:
                skip_map -= not self_issued
                if facts.inhibit_mapping is not None:
                    skip_map = min(skip_map, facts.inhibit_mapping)
            self.levels.append(level)

    def _add(self, level: _Level | None, policy: Policy, parent: _Node | None) -> _Node:
        if self.count >= MAX_NODES:
            raise InnerFailure(VerifyCode.OUT_OF_MEM, f"the policy tree has more than {MAX_NODES} nodes")
        self.count += 1
        node = _Node(policy, parent)
        if parent is not None:
            parent.children += 1
        if level is not None:
            if policy.oid != ANY_POLICY:
                level.nodes.append(node)
            else:
                level.any = node
        return node

    def _link_named(self, last: _Level, level: _Level) -> None:
        """RFC 5280 §6.1.3 (d) (1): a policy hangs below the nodes that expect it, else below anyPolicy."""
        for policy in level.facts.policies or ():
            parents = [node for node in last.nodes if policy.oid in _expected(last, node)]
            if not parents and last.any is not None:
                parents = [last.any]
            for parent in parents:
                self._add(level, policy, parent)

    def _link_any(self, last: _Level, level: _Level) -> None:
        """RFC 5280 §6.1.3 (d) (2): anyPolicy stands for every expected policy that found no child."""
        offered = level.facts.any
        if offered is None:
            return
        for node in last.nodes:
            if last.map_inhibited or not node.policy.mapped:
                missing = [] if node.children else [node.policy.oid]
            elif node.children == len(node.policy.expected):
                missing = []
            else:
                there = {child.policy.oid for child in level.nodes if child.parent is node}
                missing = [oid for oid in node.policy.expected if oid not in there]
            for oid in missing:
                self._add(level, Policy(oid, node.policy.critical, offered.qualifiers), node)
        if last.any is not None:
            self._add(level, offered, last.any)

    def _prune(self, level: _Level) -> bool:
        """RFC 5280 §6.1.3 (d) (3): remove what has no child, upward; False when the root goes."""
        if level.map_inhibited:
            level.nodes = [node for node in level.nodes if not _drop_if(node, node.policy.is_mapping)]
        for upper in reversed(self.levels[: self.levels.index(level)]):
            upper.nodes = [node for node in upper.nodes if not _drop_if(node, not node.children)]
            if upper.any is not None and _drop_if(upper.any, not upper.any.children):
                upper.any = None
        return self.levels[0].any is not None

    def sets(self) -> tuple[tuple[Policy, ...] | None, tuple[Policy, ...] | None]:
        """Give the authority's set and the user's set of policies (RFC 5280 §6.1.5 (g)); None for no set."""
        last_any = self.levels[-1].any
        roots: list[_Node] = []  # the policies that hang below anyPolicy
        for upper, level in zip(self.levels, self.levels[1:], strict=False):
            if upper.any is None:
                break
            for node in level.nodes:
                if node.parent is upper.any:
                    _add_once(roots, node)
        authority = [last_any] if last_any is not None else roots
        given = tuple(node.policy for node in authority) or None
        wanted = self.params.policies
        if not wanted:
            return given, None
        if ANY_POLICY in wanted:
            return given, given
        return given, tuple(self._accepted(wanted, roots, last_any)) or None

    def _accepted(self, wanted: tuple[str, ...], roots: list[_Node], last_any: _Node | None) -> list[Policy]:
        accepted = []
        for oid in wanted:
            found = next((node.policy for node in roots if node.policy.oid == oid), None)
            if found is None and last_any is not None:
                found = Policy(oid, last_any.policy.critical, last_any.policy.qualifiers)
                self._add(None, found, last_any.parent)
            if found is not None:
                accepted.append(found)
        return accepted
