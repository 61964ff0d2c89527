"""Sessions in Redis: what is kept there, and when they end."""

import time

import pytest
from redis import Redis

from app_service.accounts.session_ends import ended, take
from app_service.accounts.sessions import close_session, close_sessions, find_session, open_session, sessions_of
from app_service.storage.redis_client import open_redis
from portal_wire.contract import User

USER = User(id="u", username="doctor", role="doctor")


def test_redis_knows_no_token(redis_url: str) -> None:
    client = open_redis(redis_url)
    token = open_session(client, USER, 60, 600).token
    assert len(token) >= 43
    assert not [key for key in client.keys() if token in str(key)]
    assert all(token not in str(client.get(str(key))) for key in client.keys("lightbox:session:*"))


def test_an_unused_session_ends_and_a_used_one_goes_on(redis_url: str) -> None:
    client: Redis = open_redis(redis_url)
    token = open_session(client, USER, idle_s=100, absolute_s=1000).token
    (key,) = client.keys("lightbox:session:*")
    assert 0 < int(client.ttl(str(key))) <= 100
    client.expire(str(key), 5)
    seen = find_session(client, token, 100, used=False)
    assert seen and seen.user == USER
    assert int(client.ttl(str(key))) <= 5
    assert find_session(client, token, 100) == seen
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
    assert client.keys("lightbox:session:*") == []


def test_an_accounts_sessions_are_listed_and_ended_one_by_one_or_all(redis_url: str) -> None:
    client = open_redis(redis_url)
    tokens = [open_session(client, USER, 100, 600, address=f"10.0.0.{number}").token for number in range(3)]
    elses = open_session(client, User(id="v", username="other", role="doctor"), 100, 600).token
    listed = sessions_of(client, USER.id)
    assert [one.address for one in listed] == ["10.0.0.2", "10.0.0.1", "10.0.0.0"]
    assert close_sessions(client, USER.id, listed[0].id) == 1
    assert [find_session(client, token, 100) is None for token in tokens] == [False, False, True]
    assert close_sessions(client, USER.id, "no such session") == 0
    assert close_sessions(client, USER.id) == 2
    assert [find_session(client, token, 100) is None for token in (*tokens, elses)] == [True, True, True, False]
    assert sessions_of(client, USER.id) == []


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = time.time() + seconds
    monkeypatch.setattr("app_service.accounts.session_ends.time.time", lambda: moment)


def test_what_ended_by_itself_is_told_once_and_how(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = open_redis(redis_url)
    open_session(client, USER, idle_s=100, absolute_s=600)
    (key,) = client.keys("lightbox:session:*")
    assert ended(client) == []
    later(monkeypatch, 101)  # it was used meanwhile: Redis still has it
    assert ended(client) == []
    later(monkeypatch, 202)
    client.delete(str(key))
    ((session, how),) = ended(client)
    assert (session.user_id, session.role, how) == ("u", "doctor", "idle")
    assert take(client, session) and not take(client, session)
    assert ended(client) == []
    open_session(client, USER, idle_s=100, absolute_s=300)
    later(monkeypatch, 301)
    assert [how for _, how in ended(client)] == ["absolute"]


def test_what_somebody_ended_did_not_end_by_itself(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = open_redis(redis_url)
    one, *_ = [open_session(client, USER, 100, 600).token for _ in range(3)]
    close_session(client, one)
    close_sessions(client, USER.id)
    later(monkeypatch, 1000)
    assert ended(client) == []
