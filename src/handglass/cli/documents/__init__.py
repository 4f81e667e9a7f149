"""Manual pages and the documentation's option table, made from the options and from prose.

`python -m handglass.cli.documents directory` writes them; `make man` calls it.
"""
