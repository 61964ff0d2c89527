"""Free ports are free and different; a taken one is named with its variable."""

import socket

import pytest

from launcher import ports
from launcher.errors import CannotStart


def test_free_ports_differ() -> None:
    assert len(set(ports.free(20))) == 20


def test_a_taken_port_is_named_with_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port} .*LIGHTBOX_HTTPS_PORT"):
            ports.require_free("127.0.0.1", port, "LIGHTBOX_HTTPS_PORT")


def test_a_free_port_passes() -> None:
    ports.require_free("127.0.0.1", ports.free(1)[0], "LIGHTBOX_HTTPS_PORT")
