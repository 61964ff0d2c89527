"""The model repository extension: what lies on disk, and hot loading and unloading of it.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
"""

import json
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from ml_service.registry import Registry
from portal_wire.errors import BadRequest

repository = Blueprint("repository", __name__, url_prefix="/v2/repository")


def registry() -> Registry:
    """Returns the application's models."""
    found: Registry = current_app.extensions["registry"]
    return found


@repository.post("/index")
def index() -> Response:
    """Every version on disk; with `{"ready": true}` only those that answer."""
    only_ready = _body().get("ready", False) is True
    in_memory = set(registry().in_memory())
    entries = []
    for name, version in registry().on_disk():
        fault = registry().state(name, version)
        if fault and only_ready:
            continue
        reason = fault or ("" if (name, version) in in_memory else "comes back to memory when it is asked for")
        entries.append({"name": name, "version": version, "state": _state(fault), "reason": reason})
    return jsonify(entries)


@repository.post("/models/<name>/load")
def load(name: str) -> Response:
    """Loads the newest version, or those that `parameters.config` (a model configuration as JSON) names in its
    `version_policy`. What is loaded already stays as it is."""
    versions = _wanted(registry().versions(name), _parameters().get("config"))
    for version in versions:
        registry().load(name, version)
        registry().require(name, version)  # a fault is an error of this request
    return Response(status=200)


@repository.post("/models/<name>/unload")
def unload(name: str) -> Response:
    """Unloads every version, or the one that `parameters.version` names, once its requests are answered."""
    version = _parameters().get("version")
    if version is not None and not isinstance(version, str):
        raise BadRequest("Expected `version` as a text.")
    registry().unload(name, version)
    return Response(status=200)


def _wanted(versions: list[str], config: object) -> list[str]:
    """Returns the versions that Triton's version policy means: `latest`, `all` or `specific`.

    https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_configuration.md#version-policy
    """
    if config is None:
        return versions[-1:]
    policy = _object(_object(_parsed(config), "config").get("version_policy", {"latest": {}}), "version_policy")
    if set(policy) == {"all"}:
        return versions
    if set(policy) == {"latest"}:
        count = _object(policy["latest"], "latest").get("num_versions", 1)
        if type(count) is int and count > 0:
            return versions[-count:]
    if set(policy) == {"specific"}:
        named = _object(policy["specific"], "specific").get("versions")
        if isinstance(named, list) and named:
            return [str(version) for version in named]
    raise BadRequest("Expected a version_policy: all, latest with num_versions, or specific with versions.")


def _parsed(config: object) -> object:
    try:
        return json.loads(config) if isinstance(config, str) else config
    except (ValueError, RecursionError):
        raise BadRequest("Expected `config` as JSON.") from None


def _body() -> dict[str, Any]:
    """Returns the request's JSON object; stock clients send an empty body where they have nothing to say."""
    data = request.get_data(cache=False)
    try:
        return _object(json.loads(data), "the request") if data else {}
    except (ValueError, RecursionError):
        raise BadRequest("Expected a JSON object.") from None


def _parameters() -> dict[str, Any]:
    return _object(_body().get("parameters", {}), "parameters")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"Expected {what} as a JSON object.")
    return value


def _state(fault: str | None) -> str:
    return "UNAVAILABLE" if fault else "READY"
