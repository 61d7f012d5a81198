"""Visitors of many shops, each shop a tenant: they look at the catalogue, and sometimes their order is commissioned.

An ordinary locustfile: `locust -f loadtests/users/commission.py -H URL` runs it too. The document names no routes;
these stand for a page, a product and a calculation.
Environment: SLOPROOF_REQUEST_TIMEOUT, seconds (10); COMMISSION_TENANTS, how many shops there are (50).
"""

import os
import random

from locust import FastHttpUser, between, task

from sloproof.loadtests.feeding import Generated

REQUEST_TIMEOUT = float(os.environ.get("SLOPROOF_REQUEST_TIMEOUT", "10"))
TENANTS = int(os.environ.get("COMMISSION_TENANTS", "50"))
PRODUCTS = 200

# Each visitor belongs to a shop, in turn, also where several processes send the load.
_shops = Generated(lambda number, _: f"tenant-{number % TENANTS + 1:02}")


class Visitor(FastHttpUser):
    """Reads for one to three seconds, and stays with one shop."""

    connection_timeout = REQUEST_TIMEOUT
    network_timeout = REQUEST_TIMEOUT
    insecure = False
    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Enter a shop."""
        self.shop = {"X-Tenant": _shops.take()}

    @task(6)
    def catalogue(self) -> None:
        """Open the catalogue, which the edge may have."""
        self.client.get("/", headers=self.shop)

    @task(3)
    def product(self) -> None:
        """Open a product."""
        number = random.randint(1, PRODUCTS)
        self.client.get(f"/products/{number}", headers=self.shop, name="/products/{id}")

    @task(1)
    def order(self) -> None:
        """Place an order, whose commission is calculated."""
        body = {"product": random.randint(1, PRODUCTS), "amount": random.randint(1, 3)}
        self.client.post("/api/commissions", json=body, headers=self.shop)
