"""How many questions find their service: ours against plain keyword matching, in the same run.

``python -m benchmarks.answers [--questions FILE] [--json] [--rounds N]``. The file lists
``{q: text, key: service or null, also: [other services that answer it]}``. Top-1 and top-3 are the
shares of questions whose service comes first, or among the first three; rejection is the share of
those nobody should answer that got no service. Times are CPU milliseconds a question, the medians
of interleaved rounds, because machines are shared and noisy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from config import HOME
from lightservices import catalogue, finding
from lightservices.catalogue import Service
from lightservices.knowledge import ready
from lightservices.knowledge.understanding import understand

QUESTIONS: Final = HOME / "tests" / "lightservices" / "knowledge" / "questions.yaml"
FIRST: Final = 3
NONE: Final = "（不该回答）"

Way = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Question:
    """One question and the services that answer it; none where nobody should."""

    text: str
    keys: frozenset[str]
    #: What it is counted under: the class of its first service.
    group: str


@dataclass
class Score:
    """What one way made of the questions."""

    asked: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    among: Counter[str] = field(default_factory=Counter)
    spent: list[float] = field(default_factory=list)

    def add(self, question: Question, found: Sequence[str]) -> None:
        group = question.group
        self.asked[group] += 1
        if not question.keys:
            self.first[group] += not found
            self.among[group] += not found
            return
        self.first[group] += bool(found) and found[0] in question.keys
        self.among[group] += not question.keys.isdisjoint(found[:FIRST])

    def figures(self) -> dict[str, float]:
        ours = [group for group in self.asked if group != NONE]
        asked = sum(self.asked[group] for group in ours) or 1
        times = sorted(self.spent) or [0.0]
        return {
            "top1": sum(self.first[group] for group in ours) / asked,
            "top3": sum(self.among[group] for group in ours) / asked,
            "rejection": self.first[NONE] / (self.asked[NONE] or 1),
            "p50_ms": statistics.median(times),
            "p95_ms": times[min(len(times) - 1, int(len(times) * 0.95))],
        }


def read(path: Path) -> list[Question]:
    """The questions of this file."""
    return [_question(entry) for entry in yaml.safe_load(path.read_text("utf-8"))]


def _question(entry: Mapping[str, Any]) -> Question:
    key = entry["key"]
    keys = frozenset((key, *entry.get("also", ()))) if key else frozenset[str]()
    service = catalogue.service(key) if key else None
    return Question(entry["q"], keys, str(service.service_class) if service else NONE)


def ours(offered: Mapping[str, Service]) -> Way:
    index = ready.index(patience=None)
    assert index is not None

    def find(text: str) -> list[str]:
        return [one.key for one in understand(index, text, offered=offered).services]

    return find


def by_search(offered: Mapping[str, Service]) -> Way:
    """The directory's search, which is what answered before."""
    return lambda text: [one.key for one in finding.find(offered.values(), text)]


def by_keywords(offered: Mapping[str, Service]) -> Way:
    """As chat robots are often made: a title or a word that stands in the text, the most first."""

    def find(text: str) -> list[str]:
        said = text.lower()
        counted = {
            key: sum(len(word) for word in (one.title, *one.words) if word.lower() in said)
            for key, one in offered.items()
        }
        return sorted((key for key in counted if counted[key]), key=lambda key: -counted[key])

    return find


def measure(questions: Sequence[Question], *, rounds: int = 1) -> dict[str, Score]:
    """What each way makes of the questions, asked in turn."""
    offered = dict(catalogue.services())
    ways = {
        "ours": ours(offered), "search": by_search(offered), "keywords": by_keywords(offered)
    }  # fmt: skip
    scores = {name: Score() for name in ways}
    for find in ways.values():
        find(questions[0].text)
    for number in range(rounds):
        for question in questions:
            for name, find in ways.items():
                began = time.process_time()
                found = find(question.text)
                scores[name].spent.append((time.process_time() - began) * 1000)
                if number == 0:
                    scores[name].add(question, found)
    return scores


def _table(scores: Mapping[str, Score]) -> None:
    print(f"{'':<10}{'top-1':>8}{'top-3':>8}{'rejected':>10}{'p50 ms':>9}{'p95 ms':>9}")
    for name, score in scores.items():
        found = score.figures()
        print(
            f"{name:<10}{found['top1']:>8.1%}{found['top3']:>8.1%}{found['rejection']:>10.1%}"
            f"{found['p50_ms']:>9.2f}{found['p95_ms']:>9.2f}"
        )
    print()
    for group in sorted(scores["ours"].asked):
        counts = "   ".join(
            f"{name} {score.first[group]}/{score.among[group]}" for name, score in scores.items()
        )
        print(f"{group} {scores['ours'].asked[group]}:  first/among three  {counts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    scores = measure(read(given.questions), rounds=given.rounds)
    if given.json:
        print(json.dumps({name: score.figures() for name, score in scores.items()}))
        return
    _table(scores)


if __name__ == "__main__":
    main()
