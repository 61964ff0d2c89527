"""No part is older than its floor, and NGINX is told nothing that had holes."""

import pytest

from verify import floors


def test_this_repository_passes() -> None:
    assert "NGINX" in floors.check()


def test_an_old_package_is_named_with_its_reason() -> None:
    (fault,) = floors.too_old("some.lock", {"pillow": {"13.0.0", "11.3.0"}, "flask": {"0.1"}})
    assert "pillow 11.3.0 is below 12.2.0 (CVE-2026-40192" in fault


@pytest.mark.parametrize("version", ["7.4.6", "7.4.7", "8.2.2", "8.4.0", "7.2.11"])
def test_mended_redis_passes(version: str) -> None:
    assert floors.old_images("compose.yml", f"image: redis:{version}-alpine") == []


@pytest.mark.parametrize("version", ["7.4.5", "7.0.15", "8.2.1", "8.1.9", "6.2.20"])
def test_redis_with_the_hole_in_lua_is_refused(version: str) -> None:
    assert floors.old_images("compose.yml", f"image: redis:{version}-alpine")


@pytest.mark.parametrize(
    "line",
    [
        "    rewrite ^/api/(.*)$ /x?y=1;",
        "set $a $1;",
        "slice 1m;",
        "listen 443 quic;",
        "http3 on;",
        "ssi on;",
        'map $a $b {\n "~^(x+)y" $1;\n}',
    ],
)
def test_directives_that_had_holes_are_named(line: str) -> None:
    assert floors.risky_directives("nginx/server/some.conf", line)


def test_our_error_pages_alone_include() -> None:
    assert floors.risky_directives("nginx/server/errors.conf", "ssi on;  # set $a;") == []
    assert floors.risky_directives("nginx/http/x.conf", 'map $a $b {\n "~^POST " 1;\n}\nproxy_set_header A b;') == []
