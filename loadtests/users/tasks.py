"""People who keep a list of tasks. An ordinary locustfile: `locust -f loadtests/users/tasks.py -H URL` runs it too.

Environment: SLOPROOF_PACE, seconds from one task of a user to its next (1); SLOPROOF_REQUEST_TIMEOUT, seconds (10);
SLOPROOF_WORKER and SLOPROOF_WORKERS, which of how many processes this is (1 of 1);
TASKS_PASSWORD, of the seeded users (lab-password); TASKS_USERS, how many of them there are (400).
"""

import itertools
import os
import random
import time
from typing import Any

from locust import FastHttpUser, task

PACE = float(os.environ.get("SLOPROOF_PACE", "1"))
REQUEST_TIMEOUT = float(os.environ.get("SLOPROOF_REQUEST_TIMEOUT", "10"))
PASSWORD = os.environ.get("TASKS_PASSWORD", "lab-password")
SEEDED_USERS = int(os.environ.get("TASKS_USERS", "400"))
MOST_TASKS = 10

_numbers = itertools.count()


class Person(FastHttpUser):
    """Logs in once, then reads more than it writes, and deletes what it creates."""

    # Locust's own defaults are 60 s, and no check of certificates at all.
    connection_timeout = REQUEST_TIMEOUT
    network_timeout = REQUEST_TIMEOUT
    insecure = False

    def on_start(self) -> None:
        """Spread the users over one pace, so that they do not all knock at once."""
        worker, workers = (int(os.environ.get(name, "1")) for name in ("SLOPROOF_WORKER", "SLOPROOF_WORKERS"))
        number = (next(_numbers) * workers + worker - 1) % SEEDED_USERS + 1
        self.email = f"user-{number:03}@example.test"
        self.token = ""
        self.tasks_of_mine: list[Any] = []
        time.sleep(random.uniform(0, PACE))
        self.due = time.perf_counter()

    def wait_time(self) -> float:
        """Seconds until this user's next task: one every PACE, and at once when it is late, never two to catch up.

        Locust's `constant_pacing` counts `on_start` into the first pace, so that all users end up in step: forty
        requests within 10 ms, then silence for the rest of the second.
        """
        now = time.perf_counter()
        self.due = max(self.due + PACE, now)
        return self.due - now

    @task(5)
    def read_list(self) -> None:
        """List one's own tasks, and take over what an earlier run left behind."""
        answer = self.send("GET", "/tarefas")
        if answer is not None:
            found = answer["itens"] if isinstance(answer, dict) else answer
            self.tasks_of_mine = [each["id"] for each in found]

    @task(4)
    def read_one(self) -> None:
        """Open one task."""
        if not self.tasks_of_mine:
            self.create()
            return
        number = random.choice(self.tasks_of_mine)
        self.send("GET", f"/tarefas/{number}", name="/tarefas/{id}")

    @task(2)
    def create(self) -> None:
        """Write a task down, unless there are plenty."""
        if len(self.tasks_of_mine) >= MOST_TASKS:
            self.delete()
            return
        answer = self.send("POST", "/tarefas", json={"titulo": "comprar pão", "descricao": "antes das dez"})
        if answer is not None:
            self.tasks_of_mine.append(answer["id"])

    @task(2)
    def complete(self) -> None:
        """Tick a task off."""
        if not self.tasks_of_mine:
            self.create()
            return
        number = random.choice(self.tasks_of_mine)
        body = {"titulo": "comprar pão", "descricao": "feito", "concluida": True}
        self.send("PUT", f"/tarefas/{number}", name="/tarefas/{id}", json=body)

    @task(2)
    def delete(self) -> None:
        """Throw a task away."""
        if not self.tasks_of_mine:
            self.create()
            return
        number = self.tasks_of_mine.pop(random.randrange(len(self.tasks_of_mine)))
        self.send("DELETE", f"/tarefas/{number}", name="/tarefas/{id}")

    def send(self, method: str, url: str, **options: Any) -> Any:
        """Send one request, logging in first if need be; the JSON of a good answer, else None."""
        if not self.token and not self.log_in():
            return None
        answer = self.client.request(method, url, headers={"Authorization": f"Bearer {self.token}"}, **options)
        if answer.status_code == 401:  # noqa: PLR2004
            self.token = ""
        return answer.json() if answer.ok and answer.text else None

    def log_in(self) -> bool:
        """Get a token; a system that is down for a while must not cost the run its users, so failing is no error."""
        answer = self.client.post("/login", json={"email": self.email, "senha": PASSWORD})
        if not answer.ok or not answer.text:
            return False
        self.token = answer.json()["token"]
        return True
