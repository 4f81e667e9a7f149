"""The table itself: sound rows, and what reads them."""

from __future__ import annotations

import pytest

from handglass.cli.dispatch import PROGRAMS, options_of
from handglass.cli.options.help import help_text
from handglass.cli.options.s_client import SClientOptions
from handglass.cli.options.table import Options, flag, seconds_or, target_word, text, texts, word
from handglass.cli.options.values import BadValueError, file_form

TABLES = [pytest.param(options_of(name), id=name) for name in PROGRAMS]


@pytest.mark.parametrize("program", TABLES)
def test_names_and_attributes_are_unique(program: type[Options]) -> None:
    names = [name for row in program.rows() for name in row.names]
    attributes = [row.attribute for row in program.rows()]
    assert len(set(names)) == len(names)
    assert len(set(attributes)) == len(attributes)
    assert names[0] == "help"
    for row in program.rows():
        assert getattr(program, row.attribute) is row


@pytest.mark.parametrize("program", TABLES)
def test_help_is_short_and_in_one_style(program: type[Options]) -> None:
    for row in program.rows():
        assert row.where
        assert 3 < len(row.help) <= 100, row
        assert row.help[0].isupper() or row.help.startswith("anyPolicy"), row
        assert not row.help.endswith("."), row


@pytest.mark.parametrize("program", TABLES)
def test_what_an_option_sets_beside_itself_is_a_row(program: type[Options]) -> None:
    rows = {row.attribute: row for row in program.rows()}
    for row in rows.values():
        for attribute, value in (row.also or {}).items():
            assert attribute in rows, f"{row} sets {attribute}"
            assert value is None or type(value) is type(rows[attribute].default)


@pytest.mark.parametrize("program", TABLES)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_keeps_to_the_width(program: type[Options], width: int) -> None:
    for line in help_text(program, width).splitlines():
        assert len(line) <= max(width, 58), line


def test_titles_that_come_twice_are_one_group() -> None:
    titles = [title for title, _ in SClientOptions.by_title()]
    assert len(set(titles)) == len(titles)
    assert titles[0] == "General options"


class Sample(Options, title="Sample options", program="sample", usage="[options] [word]"):
    quiet = flag(("quiet", "q"), "Say nothing", where="test")
    colour = word("colour", "name", ("red", "green"), "Colour to use", where="test")
    names = texts("name", "name", "Name to add", where="test")
    limit = seconds_or(2.5, "limit", "Time limit", where="test")
    file = text("file", "file", "File to read", where="test")
    target = target_word("word", "Word to say", where="test", words=("yes", "no"))


def test_a_table_of_all_kinds() -> None:
    options = Sample.parse(["-q", "-name", "a", "-name=b", "-colour", "red", "yes"])
    assert (options.quiet, options.names, options.colour) == (True, ("a", "b"), "red")
    assert (options.limit, options.file, options.target) == (2.5, None, "yes")


def test_its_help() -> None:
    assert help_text(Sample) == (
        "Usage: sample [options] [word]\n"
        "\n"
        "Sample options:\n"
        " -quiet                     Say nothing\n"
        " -q                         The same as -quiet\n"
        " -colour name               Colour to use\n"
        " -name name                 Name to add\n"
        " -limit seconds             Time limit; default: 2.5\n"
        " -file file                 File to read\n"
        "\n"
        "Parameters:\n"
        " word                       Word to say\n"
    )


def test_formats_are_taken_as_openssl_takes_them() -> None:
    convert = file_form(("DER", "PEM"))
    for spelling in ("DER", "der", "D", "d"):
        assert convert("certform", spelling) == "DER"
    for spelling in ("PEM", "pem", "P", "p"):
        assert convert("certform", spelling) == "PEM"
    with pytest.raises(BadValueError) as caught:
        convert("certform", "P12")
    assert caught.value.lines == (
        'Bad format "P12"; must be pem or der',
        'Invalid format "P12" for option -certform',
    )
    assert file_form(("DER", "PEM", "P12"))("certform", "p") == "PEM"
    assert file_form(("DER", "PEM", "P12"))("certform", "p12") == "P12"
