"""Is what was accepted there, byte for byte?"""

import asyncio
import hashlib
import ssl
from collections.abc import Sequence

import aiohttp

from benchmarks.load.answers import Answers
from benchmarks.load.people import Person
from benchmarks.servers import RunningPortal

LOOKED_AT = 200


async def torn(portal: RunningPortal, doctor: Person, answers: Answers, films: Sequence[bytes]) -> int:
    """How many of at most LOOKED_AT films, evenly picked of all, come back as none of those that were sent."""
    sent = {hashlib.sha256(film).digest() for film in films}
    studies = [each.study for each in answers.book.values()]
    picked = studies[:: max(1, len(studies) // LOOKED_AT)]
    tls, headers = ssl.create_default_context(cafile=portal.authority), {"Authorization": f"Bearer {doctor.token}"}
    bad = 0
    async with aiohttp.ClientSession(headers=headers) as session:
        for study in picked:
            async with session.get(f"{portal.url}/api/v1/studies/{study}/original", ssl=tls) as answer:
                digest = await asyncio.to_thread(hashlib.sha256, await answer.read())
                bad += answer.status != 200 or digest.digest() not in sent
    return bad
