"""What code and templates have for a catalogue, read without the gettext tools."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.template import engines
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from tests.infra.servers import ROOT

ONE = {"_", "gettext", "gettext_lazy", "gettext_noop", "phrase"}
SEVERAL = {"ngettext", "ngettext_lazy", "counted"}
Message = tuple[str, str]  # of one thing, and of several; '' where there is only one


def messages(app: str) -> set[Message]:
    """All of an app. One that is there with a plural too stands in a catalogue once, with it."""
    paths = [*(ROOT / app).rglob("*.py")]
    found = {each for path in paths for each in in_python(path)}
    templates = [
        *(ROOT / app).rglob("templates/**/*.html"),
        *(ROOT / app).rglob("templates/**/*.txt"),
    ]
    found |= {each for path in templates for each in in_template(path)}
    several = {one for one, many in found if many}
    return {(one, many) for one, many in found if many or one not in several}


def in_python(path: Path) -> Iterator[Message]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if name in ONE and texts and isinstance(texts[0], str):
                yield texts[0], ""
            elif name in SEVERAL and len(texts) > 1:
                yield str(texts[0]), str(texts[1])


def in_template(path: Path) -> Iterator[Message]:
    made = engines["django"].from_string(path.read_text(encoding="utf-8")).template
    for node in made.nodelist.get_nodes_by_type((TranslateNode, BlockTranslateNode)):
        yield _message(node)


def _message(node: Node) -> Message:
    if isinstance(node, TranslateNode):
        return str(node.filter_expression.var.literal), ""
    assert isinstance(node, BlockTranslateNode)
    one, _ = node.render_token_list(node.singular)
    many, _ = node.render_token_list(node.plural) if node.plural else ("", [])
    return one, many
