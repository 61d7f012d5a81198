"""People of the first version of the product: four reads to one write, and every write locks the one file.

An ordinary locustfile: `locust -f loadtests/users/monolith.py -H URL` runs it too. The document names no routes; these
stand for reading and for writing.
Environment: SLOPROOF_REQUEST_TIMEOUT, seconds (10).
"""

import os
import random

from locust import FastHttpUser, between, task

REQUEST_TIMEOUT = float(os.environ.get("SLOPROOF_REQUEST_TIMEOUT", "10"))
ITEMS = 1000


class Person(FastHttpUser):
    """Thinks for one to three seconds between two requests."""

    connection_timeout = REQUEST_TIMEOUT
    network_timeout = REQUEST_TIMEOUT
    insecure = False
    wait_time = between(1, 3)

    @task(4)
    def read(self) -> None:
        """Read one item."""
        self.client.get(f"/items/{random.randint(1, ITEMS)}", name="/items/{id}")

    @task(1)
    def write(self) -> None:
        """Write one item, which the file is locked for."""
        self.client.post("/items", json={"name": "item", "number": random.randint(1, ITEMS)})
