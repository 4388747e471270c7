"""Pieces of Python as one: their imports above, each once and in the usual order."""

import ast
import io
import sys
import tokenize
from collections import defaultdict

WIDEST = 100
OWN, SET = ("", "class"), ("", "=")  # what a name means that is from no module


Meant = tuple[str, str]  # the module that a name is from, and its name there


def hoisted(pieces: dict[str, str], gap: str, before: str = "") -> str:
    """The imports of all pieces, then each piece under its heading, with `gap` between them.

    A name that two pieces have from different modules gets another one in the second; so does one
    that means something else in the text `before` them.
    """
    imports: list[ast.stmt] = []
    bodies: list[str] = []
    taken = bound(before)
    for heading, text in pieces.items():
        mine, rest = _parted(_told_apart(text, taken))
        imports += mine
        bodies.append(f"{heading}\n{rest}")
    return gap.join(["\n\n".join(_groups(imports)), *bodies]) + "\n"


def bound(text: str) -> dict[str, Meant]:
    """What the names of a text mean, all but those inside of its functions and classes."""
    found: dict[str, Meant] = {}
    nodes: list[ast.AST] = [ast.parse(text)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name: _meant(node, each) for each in node.names}
        elif isinstance(node, ast.Import):
            for each in node.names:
                found[each.asname or each.name.partition(".")[0]] = ("", f"import {each.name}")
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = OWN
            continue
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = SET
        nodes += ast.iter_child_nodes(node)
    return found


def _meant(node: ast.ImportFrom, each: ast.alias) -> Meant:
    return f"{node.level}{node.module}", each.name


def _told_apart(text: str, taken: dict[str, Meant]) -> str:
    """The piece, with other names for what is taken by another piece; adds its own to `taken`."""
    for node in _imports(text):
        for each in node.names:
            name, meant = each.asname or each.name, _meant(node, each)
            if taken.setdefault(name, meant) != meant:
                top = (node.module or "").partition(".")[0]
                other = "".join(part.title() for part in top.split("_")) + name
                while taken.get(other, meant) != meant:
                    other = f"{other}_"
                taken[other] = meant
                text = _renamed(text, name, other)
    return text


def _imports(text: str) -> list[ast.ImportFrom]:
    return [node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)]


def _renamed(text: str, name: str, other: str) -> str:
    """The name wherever it stands for itself; where it is imported, `name as other`."""
    lines = text.splitlines(keepends=True)
    imported = {
        n for each in _imports(text) for n in range(each.lineno, (each.end_lineno or 0) + 1)
    }
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for before, token in reversed(list(zip([tokens[0], *tokens], tokens, strict=False))):
        is_name = token.type == tokenize.NAME and token.string == name
        if is_name and before.string not in (".", "from"):
            (row, begin), (_, end) = token.start, token.end
            is_whole = row in imported and before.string != "as"
            new = f"{name} as {other}" if is_whole else other
            lines[row - 1] = lines[row - 1][:begin] + new + lines[row - 1][end:]
    return "".join(lines)


def _parted(text: str) -> tuple[list[ast.stmt], str]:
    """The imports that a piece begins with, and the rest."""
    mine: list[ast.stmt] = []
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            break
        mine.append(node)
    lines = text.splitlines()[(mine[-1].end_lineno or 0) if mine else 0 :]
    return mine, "\n".join(lines).strip("\n")


def _groups(nodes: list[ast.stmt]) -> list[str]:
    """Standard library, packages, lifecycle, the app itself: each sorted, a name once."""
    names: dict[str, set[str]] = defaultdict(set)
    groups: dict[int, list[str]] = defaultdict(list)
    whole = {_written(each) for n in nodes if isinstance(n, ast.Import) for each in n.names}
    for name in sorted(whole):
        groups[_group(name)].append(f"import {name}")
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names["." * node.level + (node.module or "")] |= {_written(each) for each in node.names}
    for module in sorted(names, key=str.lower):
        plain = {name for name in names[module] if " as " not in name}
        apart = [[name] for name in sorted(names[module] - plain)]
        for line in [sorted(plain, key=_kind), *apart]:
            groups[_group(module)] += [_line(module, line)] if line else []
    return ["\n".join(groups[number]) for number in sorted(groups)]


def _written(name: ast.alias) -> str:
    return f"{name.name} as {name.asname}" if name.asname else name.name


def _group(module: str) -> int:
    top = module.partition(".")[0]
    if not top:
        return 3
    return 0 if top in sys.stdlib_module_names else 2 if top == "lifecycle" else 1


def _kind(name: str) -> tuple[int, str]:
    """Constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name.lower()


def _line(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDEST:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
