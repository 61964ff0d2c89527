"""A tier of one route, for test_client_certificates.py."""

from flask import Flask

from portal_wire.http_server import equip

TOKEN = "between services"
app = Flask(__name__)
equip(app, "tests", ready=dict, service_token=TOKEN)


@app.get("/inner")
def inner() -> str:
    return "reached"
