"""The OpenAPI document, and a page to read it that needs no script and nothing from another host."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.api.names import API

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', system-ui, sans-serif;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: Consolas, Menlo, 'DejaVu Sans Mono', monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8885; border-radius: .4rem; }
section { border-top: 1px solid #8885; margin-top: 1.5rem; }
h2 { margin-bottom: .2rem; }
h3 code { font-size: 1.05em; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
"""
router = APIRouter(include_in_schema=False)


@router.get(f"{API}/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """The document."""
    return JSONResponse(request.app.state.document)


@router.get(f"{API}/docs")
async def docs(request: Request) -> HTMLResponse:
    """The page."""
    return HTMLResponse(page(request.app.state.document))


@router.get(f"{API}/docs.css")
async def style() -> Response:
    """How the page looks."""
    return Response(STYLE, media_type="text/css")


def page(document: Mapping[str, Any]) -> str:
    """The document as a page of HTML."""
    about = document["info"]
    paragraphs = "".join(f"<p>{_worded(part)}</p>" for part in about["description"].split("\n\n"))
    parts = "".join(_operations(document))
    schemas = "".join(map("".join, map(_schema, document["components"]["schemas"].items())))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Triage desk: API</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/api/docs.css"></head><body>'
        f"<main><h1>{escape(about['title'])}: API</h1>{paragraphs}"
        f'<p><a href="{API}/openapi.json">The same as an OpenAPI document</a></p>{parts}'
        f'<section id="schemas"><h2>Forms</h2>{schemas}</section></main></body></html>'
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"<section><h2>{escape(operation['summary'])}</h2>"
            yield f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
            if operation.get("description"):
                yield f"<p>{_worded(operation['description'])}</p>"
            security = operation.get("security")
            yield (
                f"<p>Scope of the key: <code>{escape(security[0]['key'][0])}</code></p>" if security else "<p>Open.</p>"
            )
            yield from _parameters(operation.get("parameters", ()))
            for kind, form in operation.get("requestBody", {}).get("content", {}).items():
                yield f"<p>Body: <code>{escape(kind)}</code> {_form(form.get('schema', {}))}</p>"
            yield "<table><tr><th>Answer</th><th></th></tr>"
            for status, response in operation["responses"].items():
                if "$ref" not in response:
                    forms = ", ".join(
                        f"<code>{escape(kind)}</code> {_form(form.get('schema', {}))}"
                        for kind, form in response.get("content", {}).items()
                    )
                    yield f"<tr><td>{escape(status)}</td><td>{forms or 'empty'}</td></tr>"
            errors = ", ".join(status for status, response in operation["responses"].items() if "$ref" in response)
            yield f"<tr><td>{errors}</td><td>an error</td></tr></table></section>"


def _parameters(parameters: object) -> Iterator[str]:
    for each in parameters if isinstance(parameters, list) else ():
        note = escape(each.get("description", ""))
        yield f"<p>In the {escape(each['in'])}: <code>{escape(each['name'])}</code> {_form(each['schema'])}. {note}</p>"


def _schema(named: tuple[str, Mapping[str, Any]]) -> Iterator[str]:
    name, schema = named
    yield f'<h3 id="{escape(name)}"><code>{escape(name)}</code></h3>'
    if schema.get("description"):
        yield f"<p>{_worded(schema['description'])}</p>"
    yield "<table>"
    for field, form in schema.get("properties", {}).items():
        must = " (required)" if field in schema.get("required", ()) else ""
        note = escape(form.get("description", ""))
        yield f"<tr><td><code>{escape(field)}</code>{must}</td><td>{_form(form)} {note}</td></tr>"
    yield "</table>"


def _form(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to those that have a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}"><code>{name}</code></a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(map(_form, schema[several]))
    if schema.get("type") == "array":
        return f"list of {_form(schema.get('items', {}))}{_bounds(schema)}"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    return f"{escape(str(schema.get('const', schema.get('type', 'anything'))))}{_bounds(schema)}"


def _bounds(schema: Mapping[str, Any]) -> str:
    names = {"minimum": "at least", "maximum": "at most", "minLength": "at least", "maxLength": "at most",
             "minItems": "at least", "maxItems": "at most"}  # fmt: skip
    told = [f"{word} {schema[name]}" for name, word in names.items() if name in schema]
    return f" ({', '.join(told)})" if told else ""


def _worded(text: str) -> str:
    """Words in which `code` is marked."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
