"""Rows are dealt to users one at a time, and to workers in parts of their own."""

import random
import subprocess
import sys
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from sloproof.loadtests.feeding import Generated, Rows
from sloproof.loadtests.login import Login


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text("email,word\n" + "".join(f'user-{number}@example.test,"a, {number}"\n' for number in range(5)))
    return file


def words(rows: Rows, number: int) -> list[str]:
    return [rows.take()["word"] for _ in range(number)]


def test_each_row_is_dealt_once_and_then_no_more(people: Path) -> None:
    rows = Rows(people, order="once")
    assert words(rows, 5) == ["a, 0", "a, 1", "a, 2", "a, 3", "a, 4"]
    for _ in range(2):
        with pytest.raises(LookupError, match="every row was dealt"):
            rows.take()


def test_a_round_begins_again(people: Path) -> None:
    assert words(Rows(people), 7) == ["a, 0", "a, 1", "a, 2", "a, 3", "a, 4", "a, 0", "a, 1"]


def test_draws_depend_on_the_seed_alone(people: Path) -> None:
    first, again, other = (words(Rows(people, order="random", seed=seed), 40) for seed in (1, 1, 2))
    assert first == again != other
    assert set(first) == {f"a, {number}" for number in range(5)}


def as_worker(monkeypatch: pytest.MonkeyPatch, worker: int, workers: int) -> None:
    monkeypatch.setenv("SLOPROOF_WORKER", str(worker))
    monkeypatch.setenv("SLOPROOF_WORKERS", str(workers))


def test_workers_deal_out_distinct_parts_that_are_all_rows(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dealt = []
    for worker, size in ((1, 3), (2, 2)):
        rows = Rows(people, order="once")  # made before the worker is told its number, as at import
        as_worker(monkeypatch, worker, 2)
        dealt += words(rows, size)
        with pytest.raises(LookupError):
            rows.take()
    assert sorted(dealt) == [f"a, {number}" for number in range(5)]


def test_a_worker_without_a_row_says_so(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_worker(monkeypatch, 6, 6)
    with pytest.raises(ValueError, match="5 rows for 6 workers: worker 6 has none"):
        Rows(people).take()


@pytest.mark.parametrize(("worker", "workers"), [("0", "2"), ("3", "2"), ("one", "2"), ("1", "")])
def test_a_worker_that_cannot_be_is_refused(
    people: Path, monkeypatch: pytest.MonkeyPatch, worker: str, workers: str
) -> None:
    monkeypatch.setenv("SLOPROOF_WORKER", worker)
    monkeypatch.setenv("SLOPROOF_WORKERS", workers)
    with pytest.raises(ValueError, match="cannot be"):
        Rows(people).take()


def test_made_rows_depend_on_their_number_and_never_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(number: int, dice: random.Random) -> tuple[int, float]:
        return number, dice.random()

    alone = list(islice(iter(Generated(make, seed=7).take, None), 6))
    parts = []
    for worker in (1, 2):
        as_worker(monkeypatch, worker, 2)
        made = Generated(make, seed=7)
        parts += [made.take() for _ in range(3)]
    assert sorted(parts) == alone
    assert [number for number, _ in alone] == list(range(6))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "holds no row"),
        ("email,word\n", "holds no row"),
        ("email,word\na,b\nc\n", "line 3: 1 columns, where the first line has 2"),
        ("email,word\na,b,c\n", "line 2: 3 columns"),
    ],
)
def test_a_file_that_cannot_be_dealt_is_told_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=what):
        Rows(file)


def test_feeding_is_light_and_imports_no_locust() -> None:
    heavy = "{'locust', 'gevent', 'pydantic', 'httpx', 'sloproof.slo', 'sloproof.errors'}"
    script = f"import sys, sloproof.loadtests.feeding, sloproof.loadtests.login; print({heavy} & set(sys.modules))"
    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert seen.stdout == "set()\n"


class Answer:
    def __init__(self, status: int) -> None:
        self.status_code = status
        self.reported = False

    def __bool__(self) -> bool:  # as the answers of `requests`
        return self.status_code < 400

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self.reported = True


class Client:
    """A system that knows some tokens."""

    def __init__(self, *known: str) -> None:
        self.known = set(known)
        self.sent: list[Mapping[str, str]] = []
        self.answers: list[Answer] = []

    def request(self, method: str, url: str, headers: Mapping[str, str], **_: Any) -> Answer:
        self.sent.append(headers)
        self.answers.append(Answer(200 if headers["Authorization"].removeprefix("Bearer ") in self.known else 401))
        return self.answers[-1]


def tokens(*given: str) -> Any:
    left = iter(given)
    return lambda: next(left, None)


def test_a_user_logs_in_once() -> None:
    client = Client("one")
    login = Login(client, tokens("one", "two"))
    for _ in range(3):
        assert login.request("GET", "/", headers={"x": "y"}).status_code == 200
    assert client.sent == [{"x": "y", "Authorization": "Bearer one"}] * 3


def test_a_token_that_expired_is_renewed_and_the_request_sent_once_more() -> None:
    client = Client("two")
    login = Login(client, tokens("one", "two"))
    assert login.request("GET", "/", catch_response=True).status_code == 200
    assert [sent["Authorization"] for sent in client.sent] == ["Bearer one", "Bearer two"]
    assert [answer.reported for answer in client.answers] == [True, False]


def test_a_system_that_refuses_every_token_is_asked_twice_at_most() -> None:
    client = Client()
    login = Login(client, tokens("one", "two", "three"))
    answer = login.request("GET", "/")
    assert answer is client.answers[-1] and answer.status_code == 401
    assert len(client.sent) == 2


def test_without_a_token_nothing_is_sent() -> None:
    client = Client("one")
    assert Login(client, tokens()).request("GET", "/") is None
    assert client.sent == []
