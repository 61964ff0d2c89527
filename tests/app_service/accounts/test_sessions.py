"""Sessions in Redis: what is kept there, and when they end."""

import pytest
from redis import Redis

from app_service.accounts.sessions import find_session, open_session
from app_service.storage.redis_client import open_redis
from portal_wire.contract import User

USER = User(id="u", username="doctor", role="doctor")


def test_redis_knows_no_token(redis_url: str) -> None:
    client = open_redis(redis_url)
    token = open_session(client, USER, 60, 600).token
    assert len(token) >= 43
    assert not [key for key in client.keys() if token in str(key)]
    assert all(token not in str(client.get(str(key))) for key in client.keys())


def test_an_unused_session_ends_and_a_used_one_goes_on(redis_url: str) -> None:
    client: Redis = open_redis(redis_url)
    token = open_session(client, USER, idle_s=100, absolute_s=1000).token
    (key,) = client.keys()
    assert 0 < int(client.ttl(str(key))) <= 100
    client.expire(str(key), 5)
    assert find_session(client, token, 100, used=False) == USER
    assert int(client.ttl(str(key))) <= 5
    assert find_session(client, token, 100) == USER
    assert int(client.ttl(str(key))) > 5
    client.expire(str(key), 0)
    assert find_session(client, token, 100) is None


def test_a_session_ends_after_its_longest_time_however_much_it_is_used(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_redis(redis_url)
    session = open_session(client, USER, idle_s=100, absolute_s=600)
    later = session.expires_at.timestamp() + 1
    monkeypatch.setattr("app_service.accounts.sessions.time.time", lambda: later)
    assert find_session(client, session.token, 100) is None
    assert client.keys() == []
