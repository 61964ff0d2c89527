"""Errors as a person reads them: a page, or for htmx a fragment. Never in the layout of a result."""

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask.globals import request_ctx

from ui_service import words
from ui_service.signed_in import forget

_PROBES = ("healthz", "readyz", "metrics")


def install(app: Flask) -> None:
    """Turn each problem+json answer that `portal_wire.http_server` made into HTML, with its status kept."""

    @app.after_request
    def as_html(response: Response) -> Response:
        if response.mimetype != "application/problem+json" or request.endpoint in _PROBES:
            return response
        if request_ctx.url_adapter is None:
            return response  # a foreign host name: no page can be drawn for it
        problem = response.get_json()
        if response.status_code == 401 and request.endpoint != "sign_in.enter":
            return _to_sign_in()
        if problem["code"] == "sign_in_again":
            return _to_sign_in(url_for("users.page"))
        if problem["code"] == "password_change_needed" and request.endpoint != "account.password":
            return _to("account.page")
        template = "fragments/problem.html" if "HX-Request" in request.headers else "problem.html"
        facts = {"problem": problem, "sentence": words.problem(problem["code"], problem["detail"])}
        answer = make_response(render_template(template, **facts), response.status_code)
        if wait := response.headers.get("Retry-After"):
            answer.headers["Retry-After"] = wait
        return answer


def _to(endpoint: str) -> Response:
    if "HX-Request" in request.headers:
        return make_response("", 403, {"HX-Redirect": url_for(endpoint)})
    return make_response(redirect(url_for(endpoint), 303))


def _to_sign_in(back: str | None = None) -> Response:
    back = back or (request.path if request.method == "GET" and "HX-Request" not in request.headers else None)
    address = url_for("sign_in.page", next=back) if back and back != "/" else url_for("sign_in.page")
    if "HX-Request" in request.headers:
        answer = make_response("", 401, {"HX-Redirect": address})
    else:
        answer = make_response(redirect(address, 303))
    forget(answer)
    return answer
