"""Another outer key for the store: `python -m app_service.storage.rewrap`.

LIGHTBOX_STORE_KEY or LIGHTBOX_STORE_KMS_KEY is the new one, the same with _BEFORE at its end the one until now. Stored
files stay as they are, and what runs goes on with the keys that it holds: start it again with the new key afterwards.
What is uploaded from then on is sealed by a new store key.
"""

import sys

from app_service.settings import store_url
from app_service.storage.object_store import plain_store
from app_service.storage.store_keys import StoreKeys, former_key, outer_key
from portal_wire import env
from portal_wire.errors import PortalError


def main() -> None:
    before, after = former_key(), outer_key()
    if before is None or after is None:
        raise env.SettingsError("Expected LIGHTBOX_STORE_KEY and LIGHTBOX_STORE_KEY_BEFORE, or those of KMS.")
    try:
        count = StoreKeys(plain_store(store_url()), before).rewrap(after)
    except PortalError as error:
        sys.exit(error.detail)
    sys.stdout.write(f"Store keys wrapped anew: {count}.\n")


if __name__ == "__main__":
    main()
