"""People who analyse keywords, search among them, and a probe that asks for their health: 3 to 2 to 1.

An ordinary locustfile: `locust -f loadtests/users/keywords.py -H URL` runs it too.
Environment: SLOPROOF_REQUEST_TIMEOUT, seconds (10).
"""

import os
import random

from locust import FastHttpUser, between, task

REQUEST_TIMEOUT = float(os.environ.get("SLOPROOF_REQUEST_TIMEOUT", "10"))
KEYWORDS = ("python", "javascript", "docker", "kubernetes")
TERMS = ("python", "javascript", "docker")


class KeywordAnalyst(FastHttpUser):
    """Thinks for one to three seconds between two requests, as the document's load test does."""

    connection_timeout = REQUEST_TIMEOUT
    network_timeout = REQUEST_TIMEOUT
    insecure = False
    wait_time = between(1, 3)

    @task(3)
    def analyse(self) -> None:
        """Have two keywords analysed."""
        body = {"keywords": random.sample(KEYWORDS, 2), "analysis_type": "comprehensive"}
        self.client.post("/api/v1/analyze", json=body)

    @task(2)
    def search(self) -> None:
        """Search for a keyword."""
        self.client.get(f"/api/v1/search?q={random.choice(TERMS)}", name="/api/v1/search")

    @task(1)
    def health(self) -> None:
        """Ask whether the system is well."""
        self.client.get("/health")
