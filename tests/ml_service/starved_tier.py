"""`python -m tests.ml_service.starved_tier`: a served version in a process that gets no more memory, in lines of JSON.

Prints each film's probability in quiet; what each of many requests was given while there was no memory (a probability,
or the name of an error), in a line for each amount of memory; and each film's probability afterwards. The process may
die before its end, as a process without memory does: the lines until then are what it answered.
"""

import json
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

os.environ["KERAS_BACKEND"] = "openvino"

import cv2
import numpy as np
import psutil

from ml_service import manifest
from ml_service.engines import openvino, openvino_pass
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from tests.chaos.films import films

FOLDER, CLIENTS, ROUNDS = SHIPPED / "pneumonia" / "3", 8, 4
SIDE = 8300  # pixels: more than fits into what a thread's heap may have left, 64 MB (glibc)
SLACK = (0, 2**20, 2**22, 2**24, 2**26, 2**28)  # bytes that it may still get: from nearly nothing to enough
_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def main() -> None:
    openvino.Network.rows = None  # passes of many sizes, each of which has to get its memory
    served = Served(manifest.read(FOLDER), FOLDER, Settings(service_token=None))
    large = cv2.imencode(".png", np.zeros((SIDE, SIDE), np.uint8))[1].tobytes()  # needs more than there is at hand
    asked = [*films(), large]

    def ask(number: int) -> float | str:
        try:
            findings = served.see_study(asked[number], 60).verdicts[0].findings
            return findings[0].probability if findings else "refused"
        except Exception as error:
            return type(error).__name__

    def say(**found: object) -> None:
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()

    openvino_pass.PATIENCE_S = 10
    order = [int(number) for _ in range(ROUNDS) for number in np.random.default_rng(1).permutation(len(asked))]
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda _: time.sleep(0.05), range(CLIENTS)))  # all threads are there before memory ends
        say(quiet=[ask(number) for number in range(len(films()))])
        this = psutil.Process()
        for slack in SLACK:
            list(clients.map(ask, range(len(films()))))
            this.rlimit(psutil.RLIMIT_AS, (this.memory_info().vms + slack, resource.RLIM_INFINITY))
            given = list(clients.map(ask, order))
            this.rlimit(psutil.RLIMIT_AS, _UNLIMITED)
            say(given=list(zip(order, given, strict=True)))
        say(after=[ask(number) for number in range(len(films()))])
    served.close()


if __name__ == "__main__":
    main()
