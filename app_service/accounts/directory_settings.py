"""What the portal is told of a hospital's directory, and what travels while somebody signs in by it."""

from dataclasses import dataclass, field

from portal_wire import env

_ROLES = ("doctor", "admin", "ops")


@dataclass(frozen=True)
class DirectorySettings:
    """`roles` are (value of the claim, role), the first that a person has counts."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    roles: tuple[tuple[str, str], ...]
    roles_claim: str = "groups"
    name_claim: str = "preferred_username"

    @classmethod
    def from_environment(cls) -> "DirectorySettings | None":
        """None where no directory is named. Raises SettingsError."""
        if not env.text("LIGHTBOX_OIDC_ISSUER", " ").strip():
            return None
        pairs = tuple(tuple(pair.rpartition("=")[::2]) for pair in env.names("LIGHTBOX_OIDC_ROLES"))
        if not pairs or any(not value or role not in _ROLES for value, role in pairs):
            raise env.SettingsError(f"LIGHTBOX_OIDC_ROLES: expected value=role,… with {', '.join(_ROLES)}.")
        return cls(
            issuer=env.url("LIGHTBOX_OIDC_ISSUER"),
            client_id=env.text("LIGHTBOX_OIDC_CLIENT_ID"),
            client_secret=env.secret("LIGHTBOX_OIDC_CLIENT_SECRET"),
            roles=pairs,  # type: ignore[arg-type]  # pairs, by rpartition
            roles_claim=env.text("LIGHTBOX_OIDC_ROLES_CLAIM", "groups"),
            name_claim=env.text("LIGHTBOX_OIDC_NAME_CLAIM", "preferred_username"),
        )


@dataclass(frozen=True)
class Asked:
    """A sign-in under way: what the directory's answer must fit."""

    redirect_uri: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Person:
    """Who signed in there. `external_id` never changes; `role` is None for who has none here."""

    external_id: str
    username: str
    role: str | None
