"""The English catalogue, written from the sentences in `app/`: `python -m app.locale.extract`, or `make locale`.

English is the key, so each sentence stands for itself; a site that wants other words changes a copy.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

APP = Path(__file__).resolve().parents[1]
CORE = APP.parent / "core"
ENGLISH = APP / "locale" / "en" / "LC_MESSAGES" / "desk.po"
HEADER = r"""# Written by `make locale`.
msgid ""
msgstr ""
"Language: en\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
PLACEHOLDER = re.compile(r"\{(\w+)[^{}]*\}")
Tables = Mapping[str, ast.expr]


def sentences() -> dict[str, list[str]]:
    """Every sentence that the pages say, with the modules that hold it.

    That is what is given to `say` in `app/`: the sentence itself, a choice of two, or the name of a constant or of a
    table of them. Besides, any text in `app/` or `core/` that a catalogue translates: it reaches `say` by another way.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(APP.rglob("*.py"))}
    constants = {name: value for tree in trees.values() for name, value in _constants(tree).items()}
    found: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for sentence in _said(tree, {**constants, **_constants(tree)}):
            found.setdefault(sentence, set()).add(path.relative_to(APP.parent).as_posix())
    core = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CORE.rglob("*.py"))}
    translated = translations()
    for path, tree in (trees | core).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in translated:
                found.setdefault(node.value, set()).add(path.relative_to(APP.parent).as_posix())
    return {sentence: sorted(modules) for sentence, modules in sorted(found.items())}


def translations(folder: str = "zh_CN") -> dict[str, str]:
    """Every sentence of a language's catalogues with its translation."""
    found: dict[str, str] = {}
    for path in sorted((APP / "locale" / folder / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            found |= {str(message.id): str(message.string) for message in read_po(file) if message.id}
    return found


def placeholders(sentence: str) -> set[str]:
    """Names that a sentence holds a place for."""
    return set(PLACEHOLDER.findall(sentence))


def write_english(path: Path = ENGLISH) -> None:
    """Write the English catalogue, complete; the same sentences make the same file."""
    catalogue = Catalog(locale="en")
    for sentence, modules in sentences().items():
        catalogue.add(sentence, sentence, locations=[(module, 0) for module in modules])
    body = BytesIO()
    write_po(body, catalogue, width=0, include_lineno=False, omit_header=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(HEADER.encode() + body.getvalue())


def _said(tree: ast.Module, tables: Tables) -> Iterator[str]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and call.args and _name(call.func) == "say":
            yield from _sentences_of(call.args[0], tables)


def _name(expression: ast.expr) -> str:
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What a module binds to names at its top."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {_name(target): node.value for target in node.targets}
        elif isinstance(node, ast.AnnAssign) and node.value:
            found[_name(node.target)] = node.value
    return found


def _sentences_of(given: ast.expr, tables: Tables) -> Iterator[str]:
    """The sentences that an expression can give."""
    match given:
        case ast.Constant(value=str(sentence)):
            yield sentence
        case ast.IfExp(body=body, orelse=orelse):
            yield from _sentences_of(body, tables)
            yield from _sentences_of(orelse, tables)
        case (
            ast.Name(id=name)
            | ast.Subscript(value=ast.Name(id=name))
            | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"))
        ):
            yield from _sentences_in(tables.get(name), tables)


def _sentences_in(bound: ast.expr | None, tables: Tables) -> Iterator[str]:
    """The sentences that a constant holds: itself, the values of a dict, the items of a tuple."""
    match bound:
        case ast.Constant(value=str(sentence)):
            yield sentence
        case ast.Dict(values=items) | ast.Tuple(elts=items) | ast.List(elts=items):
            for item in items:
                yield from _sentences_in(item, tables)


if __name__ == "__main__":
    write_english()
