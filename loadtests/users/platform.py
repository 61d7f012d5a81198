"""Customers' shops: they look products up, log their users in once, and place orders.

An ordinary locustfile: `locust -f loadtests/users/platform.py -H URL` runs it too. `/users`, `/orders` and `/products`
are the routes of the gateway.
Environment: SLOPROOF_PACE, seconds from one task of a user to its next (10); SLOPROOF_REQUEST_TIMEOUT, seconds (10).
"""

import os
import random

from locust import FastHttpUser, constant_pacing, task

from sloproof.loadtests.login import Login

PACE = float(os.environ.get("SLOPROOF_PACE", "10"))
REQUEST_TIMEOUT = float(os.environ.get("SLOPROOF_REQUEST_TIMEOUT", "10"))
PRODUCTS = 1_000_000


class Customer(FastHttpUser):
    """Looks at ten products for each order."""

    connection_timeout = REQUEST_TIMEOUT
    network_timeout = REQUEST_TIMEOUT
    insecure = False
    wait_time = constant_pacing(PACE)

    def on_start(self) -> None:
        """Keep one login for all orders."""
        self.account = Login(self.client, self.log_in)

    def log_in(self) -> str | None:
        """Ask the user service for a token."""
        answer = self.client.post("/users/login", json={"user": f"user-{random.randint(1, PRODUCTS)}"})
        return str(answer.json().get("token", "")) if answer.ok and answer.text else None

    @task(10)
    def look(self) -> None:
        """Open a product, whose key decides which shard answers."""
        self.client.get(f"/products/{random.randint(1, PRODUCTS)}", name="/products/{id}")

    @task(1)
    def order(self) -> None:
        """Place an order."""
        self.account.request("POST", "/orders", json={"product": random.randint(1, PRODUCTS)})
