"""`handglass completion bash`: the shell completes programs, options and the values it can know.

Each script is made from the option table and holds all of it, so that completing starts no program.
"""

from __future__ import annotations

from typing import Any

from handglass.cli.dispatch import PROGRAMS, options_of
from handglass.cli.options.misc import General
from handglass.cli.options.parser import usage_error
from handglass.cli.options.table import Option, target_word

SHELLS = ("bash", "zsh", "fish")


class CompletionOptions(
    General,
    program="completion",
    usage="[options] bash|zsh|fish",
    summary="Print a script that completes programs and options in a shell",
):
    """The options of `handglass completion`."""

    shell = target_word("bash|zsh|fish", "Shell to print the script for", where="output", words=SHELLS)

    def check(self) -> None:
        """Insist on a shell.

        Raises UsageError.
        """
        if self.shell is None:
            raise usage_error(type(self), f"Name a shell: {', '.join(SHELLS)}")


def run(options: CompletionOptions) -> int:
    """Print the script and return the exit status."""
    print(script(options.shell or ""), end="")
    return 0


def script(shell: str) -> str:
    """Return the script for a shell of SHELLS."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _rows(name: str) -> list[Option[Any]]:
    return [row for row in options_of(name).rows() if not row.hidden]


def _spellings(rows: list[Option[Any]]) -> str:
    return " ".join(f"-{name}" for row in rows for name in row.names)


def _bash() -> str:
    lines = ["# Load with: source <(handglass completion bash)", "_handglass() {"]
    lines += [
        '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD - 1]}"',
        "    COMPREPLY=()",
    ]
    lines += [
        "    if ((COMP_CWORD == 1)); then",
        f'        COMPREPLY=($(compgen -W "{_programs()}" -- "$word"))',
    ]
    lines += ["        return", "    fi", '    case "${COMP_WORDS[1]}:${before/#--/-}" in']
    for name in PROGRAMS:
        for answer, options in _bash_answers(name).items():
            lines += [
                f"        {'|'.join(f'{name}:{option}' for option in options)})",
                f"            {answer}",
            ]
            lines += ["            return ;;"]
    lines += ["    esac", '    case "${COMP_WORDS[1]}" in']
    for name in PROGRAMS:
        words = " ".join((_spellings(_rows(name)), *_target_words(name)))
        lines += [f'        {name}) COMPREPLY=($(compgen -W "{words}" -- "$word")) ;;']
    lines += [
        f'        help) COMPREPLY=($(compgen -W "{" ".join(PROGRAMS)}" -- "$word")) ;;',
        "    esac",
        "}",
    ]
    return "\n".join([*lines, "complete -F _handglass handglass", ""])


def _bash_answers(name: str) -> dict[str, list[str]]:
    """Map what completes a value to the options that take such a value."""
    answers: dict[str, list[str]] = {}
    for row in _rows(name):
        if row.words:
            answer = f'COMPREPLY=($(compgen -W "{" ".join(row.words)}" -- "$word"))'
        elif row.metavar == "file":
            answer = 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$word"))'
        elif row.metavar == "dir":
            answer = 'compopt -o filenames; COMPREPLY=($(compgen -d -- "$word"))'
        elif row.takes_value:
            answer = ":"
        else:
            continue
        answers.setdefault(answer, []).extend(f"-{spelling}" for spelling in row.names)
    return answers


def _zsh() -> str:
    lines = ["#compdef handglass", "# Load with: source <(handglass completion zsh)", "_handglass() {"]
    lines += ["    if ((CURRENT == 2)); then", "        local -a programs=("]
    lines += [f"            {_quoted(f'{name}:{options_of(name).summary}')}" for name in PROGRAMS]
    lines += [f"            {_quoted('help:Print the programs or the options of one')}"]
    lines += ["        )", "        _describe program programs", "        return", "    fi"]
    lines += ["    local program=$words[2]", "    shift words", "    ((CURRENT--))", "    case $program in"]
    for name in PROGRAMS:
        lines += [f"        {name})", "            _arguments \\"]
        specs = [_zsh_spec(row, spelling) for row in _rows(name) for spelling in row.names]
        target = options_of(name).positional()
        if target is not None:
            specs += [f"1:{(target.metavar or '').replace(':', '')}:({' '.join(target.words)})"]
        lines += [f"                {_quoted(spec)} \\" for spec in specs[:-1]]
        lines += [f"                {_quoted(specs[-1])} ;;"]
    lines += [f"        help) _values program {' '.join(PROGRAMS)} ;;", "    esac", "}"]
    return "\n".join([*lines, "compdef _handglass handglass", ""])


def _zsh_spec(row: Option[Any], spelling: str) -> str:
    text = row.help.replace("[", "(").replace("]", ")").replace(":", "\\:")
    if not row.takes_value:
        return f"*-{spelling}[{text}]"
    action = {"file": "_files", "dir": "_files -/"}.get(row.metavar or "", "")
    if row.words:
        action = f"({' '.join(row.words)})"
    argument = (row.metavar or "").replace(":", "\\:")
    return f"*-{spelling}[{text}]:{argument}:{action}"


def _fish() -> str:
    lines = ["# Load with: handglass completion fish | source", "complete -c handglass -f"]
    condition = f"not __fish_seen_subcommand_from {_programs()}"
    for name in PROGRAMS:
        lines += [f"complete -c handglass -n '{condition}' -a {name} -d {_quoted(options_of(name).summary)}"]
    lines += [f"complete -c handglass -n '{condition}' -a help -d 'Print the programs or the options of one'"]
    for name in PROGRAMS:
        start = f"complete -c handglass -n '__fish_seen_subcommand_from {name}'"
        for row in _rows(name):
            value = " -r -F" if row.metavar == "file" else " -x" if row.takes_value else ""
            if row.words:
                value = f" -x -a {_quoted(' '.join(row.words))}"
            elif row.metavar == "dir":
                value = " -x -a '(__fish_complete_directories)'"
            lines += [f"{start} -o {spelling}{value} -d {_quoted(row.help)}" for spelling in row.names]
        words = _target_words(name)
        if words:
            lines += [f"{start} -a {_quoted(' '.join(words))}"]
    return "\n".join([*lines, ""])


def _programs() -> str:
    return " ".join((*PROGRAMS, "help"))


def _target_words(name: str) -> tuple[str, ...]:
    target: Option[str | None] | None = options_of(name).positional()
    return target.words if target is not None else ()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
