"""`GET /openapi.json`: the HTTP addresses, described by the table and the types that serve them.

https://spec.openapis.org/oas/v3.1.0
"""

import inspect
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import streamer
from streamer.http.operations import BodySchema, Operation, operations

PATH = "/openapi.json"

SchemaTree = dict[str, Any]


async def openapi(request: Request) -> Response:
    """Describe the HTTP addresses, as OpenAPI."""
    prefix = request.scope.get("root_path") or "/"
    served = operations(request.app.state.services.config.server.dialects)
    return JSONResponse({**describe(served), "servers": [{"url": prefix}]})


def describe(served: Sequence[Operation]) -> SchemaTree:
    """The OpenAPI document of these operations."""
    types = [kind for operation in served for kind in _types(operation)]
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_anything, ref_template="#/components/schemas/{name}"
    )
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, SchemaTree] = {}
    for operation in served:
        described = _operation(operation, schema_of, components)
        paths.setdefault(_template(operation.path), {})[operation.method.lower()] = described
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Streamer",
            "version": streamer.__version__,
            "description": "Recordings in one request. Live audio goes over the WebSockets, "
            "/api/v1/segmented and /api/v1/simple, which have a protocol of their own.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }
    # A default is a tuple here, and a list for those who read the document.
    decoded: SchemaTree = msgspec.json.decode(msgspec.json.encode(document))
    return decoded


def _anything(kind: type) -> SchemaTree:
    """The schema of what msgspec leaves open: each model has its own output."""
    if kind is object:
        return {"description": "Anything that JSON can hold."}
    raise NotImplementedError  # how a `schema_hook` of msgspec declines a type


def _types(operation: Operation) -> list[BodySchema]:
    bodies = [operation.body, *operation.answers.values()]
    used = [kind for body in bodies for answer in body.values() for kind in _alternatives(answer)]
    return [*used, operation.query] if operation.query else used


def _alternatives(answer: BodySchema) -> tuple[BodySchema, ...]:
    if answer is None:
        return ()
    return answer if isinstance(answer, tuple) else (answer,)


def _operation(
    operation: Operation, schema_of: Mapping[str, SchemaTree], components: SchemaTree
) -> SchemaTree:
    path = _template(operation.path)
    summary = (inspect.getdoc(operation.endpoint) or "").partition("\n\n")[0]
    described: SchemaTree = {
        "summary": " ".join(summary.split()),
        "operationId": re.sub(r"\W+", "_", f"{operation.method.lower()} {path}"),
        "parameters": [*_path_parameters(path)],
        "responses": {
            str(number): _answer(number, bodies, schema_of)
            for number, bodies in operation.answers.items()
        },
    }
    if operation.query:
        described["parameters"] += _query_parameters(schema_of[repr(operation.query)], components)
    if operation.body:
        described["requestBody"] = {
            "required": operation.needs_body,
            "content": _content(operation.body, schema_of, components),
        }
    return described


def _answer(
    number: int, bodies: Mapping[str, BodySchema], schema_of: Mapping[str, SchemaTree]
) -> SchemaTree:
    answer: SchemaTree = {"description": HTTPStatus(number).phrase}
    answer["content"] = _content(bodies, schema_of, {})
    if number == 503:
        answer["headers"] = {
            "Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}
        }
    return answer


def _content(
    bodies: Mapping[str, BodySchema], schema_of: Mapping[str, SchemaTree], components: SchemaTree
) -> SchemaTree:
    content: SchemaTree = {}
    for media_type, kind in bodies.items():
        if media_type == "multipart/form-data":
            content[media_type] = {"schema": _with_file(schema_of[repr(kind)], components)}
        elif kind is None:
            text = media_type.startswith(("text/", "application/x-subrip"))
            content[media_type] = {"schema": {"type": "string"} if text else {}}
        else:
            schemas = [schema_of[repr(option)] for option in _alternatives(kind)]
            content[media_type] = {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
            }
    return content


def _with_file(reference: SchemaTree, components: SchemaTree) -> SchemaTree:
    """A form's fields, and the file among them."""
    fields = _resolve(reference, components)
    file = {"type": "string", "format": "binary"}
    texts = {
        f"{name}[]" if schema.get("type") == "array" else name: _without_null(schema)
        for name, schema in fields["properties"].items()
    }
    properties = {"file": file, **texts}
    return {**fields, "properties": properties, "required": ["file"]}


def _query_parameters(reference: SchemaTree, components: SchemaTree) -> list[SchemaTree]:
    fields = _resolve(reference, components)
    needed = fields.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _without_null(schema)}
        for name, schema in fields["properties"].items()
    ]


def _without_null(schema: SchemaTree) -> SchemaTree:
    """Neither a query nor a form has a null: what may be absent is absent."""
    if "anyOf" in schema:
        (kind,) = (option for option in schema["anyOf"] if option != {"type": "null"})
        return dict(kind)
    if "enum" in schema:
        return {"enum": [value for value in schema["enum"] if value is not None]}
    return {name: value for name, value in schema.items() if name != "default" or value is not None}


def _template(path: str) -> str:
    """A path without Starlette's convertors, for which OpenAPI has no words."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)


def _path_parameters(path: str) -> list[SchemaTree]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _resolve(reference: SchemaTree, components: SchemaTree) -> SchemaTree:
    resolved: SchemaTree = components[reference["$ref"].rpartition("/")[2]]
    return resolved
