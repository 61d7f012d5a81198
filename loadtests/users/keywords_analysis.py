"""Analyses alone, one a second for each user: what the document's capacity and stress tests send.

An ordinary locustfile: `locust -f loadtests/users/keywords_analysis.py -H URL` runs it too.
Environment: SLOPROOF_REQUEST_TIMEOUT, seconds (10).
"""

import os

from locust import FastHttpUser, constant, task

REQUEST_TIMEOUT = float(os.environ.get("SLOPROOF_REQUEST_TIMEOUT", "10"))


class Analysis(FastHttpUser):
    """Has the same two keywords analysed again and again."""

    connection_timeout = REQUEST_TIMEOUT
    network_timeout = REQUEST_TIMEOUT
    insecure = False
    wait_time = constant(1)

    @task
    def analyse(self) -> None:
        """Have two keywords analysed."""
        body = {"keywords": ["python", "javascript"], "analysis_type": "comprehensive"}
        self.client.post("/api/v1/analyze", json=body)
