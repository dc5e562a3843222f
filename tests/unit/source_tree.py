"""How the architecture tests read the source: modules, what they import, call and promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeGuard

TOPS = ("harness", "workloads", "compose")
DYNAMIC = ("import_module", "__import__")


class Text(ast.Constant):
    value: str  # a constant known to be a string


Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Module:
    """One source file. `protocol_methods` are those our protocols document."""

    name: str
    text: str
    package: bool = False
    protocol_methods: frozenset[str] = frozenset()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def within(self, *prefixes: str) -> bool:
        """Whether the module is one of these, or lies below one."""
        return any(below(self.name, prefix) for prefix in prefixes)


def below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def imports(module: Module) -> Iterator[str]:
    """Everything imported, absolute and dotted, also inside functions and by name."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{_origin(module, node)}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _dotted(node.func).endswith(DYNAMIC):
            yield from (a.value for a in node.args[:1] if is_text(a))


def calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called, aliases resolved."""
    names: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            names |= {alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            head, _, rest = _dotted(node.func).partition(".")
            if head:
                yield f"{names.get(head, head)}.{rest}".rstrip("."), node


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - node.level + module.package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := _dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def is_text(node: ast.AST) -> TypeGuard[Text]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def prose_of(tree: ast.Module) -> Iterator[ast.AST]:
    """Strings that stand alone as statements: docstrings, not data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and is_text(node.value):
            yield node.value


def public(tree: ast.Module) -> Iterator[tuple[Function | ast.ClassDef, bool]]:
    """Public functions, classes and methods of public classes, and whether a method.

    A property of a protocol is a field, and fields are explained by their class.
    """
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node, False
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                fieldlike = _is_protocol(node) and bool(getattr(inner, "decorator_list", []))
                if isinstance(inner, Function) and not inner.name.startswith("_") and not fieldlike:
                    yield inner, True


def _is_protocol(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and "Protocol" in map(_dotted, node.bases)


def modules_of(root: Path) -> list[Module]:
    """Every source file of the product below `root`."""
    paths = sorted(path for top in TOPS for path in (root / top).rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    methods = frozenset(name for tree in trees for name in _promised(tree))
    return [_read(path, root, methods) for path in paths]


def _promised(tree: ast.Module) -> Iterator[str]:
    """Methods a protocol declares and documents."""
    for node in ast.walk(tree):
        for inner in node.body if isinstance(node, ast.ClassDef) and _is_protocol(node) else ():
            if isinstance(inner, Function) and ast.get_docstring(inner):
                yield inner.name


def _read(path: Path, root: Path, methods: frozenset[str]) -> Module:
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    package = name.removesuffix(".__init__")
    text = path.read_text(encoding="utf-8")
    return Module(name=package, text=text, package=package != name, protocol_methods=methods)
