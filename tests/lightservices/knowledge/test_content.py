"""The content files of the knowledge base keep their own rules, whoever edits them."""

from __future__ import annotations

from collections import Counter
from string import Formatter

from config import Settings
from lightservices import catalogue
from lightservices.knowledge import danger, lexicon, persona
from lightservices.knowledge.terms import cleaned


def spelled() -> list[str]:
    fillers = lexicon.content(lexicon.FILLERS)
    lines = [*fillers["empty"], *fillers["weak"], *lexicon.content(lexicon.OUTSIDE)["words"]]
    file = lexicon.content(lexicon.SYNONYMS)
    lines += [*file["groups"], list(file["phrases"])]
    return [str(word) for line in lines for word in line]


def test_a_word_stands_in_one_line_only() -> None:
    assert [word for word, times in Counter(spelled()).items() if times > 1] == []


def test_a_kind_and_what_is_of_it_head_lines_of_their_own() -> None:
    file = lexicon.content(lexicon.SYNONYMS)
    heads = {group[0] for group in file["groups"]}
    named = [name for line in file["kinds"] for name in line]
    members = [name for line in file["kinds"] for name in line[1:]]
    assert set(members) - heads == set()
    assert len(members) == len(set(members))
    assert set(named) <= heads


def test_a_short_way_of_saying_things_is_made_of_known_words() -> None:
    file = lexicon.content(lexicon.SYNONYMS)
    heads = {group[0] for group in file["groups"]}
    assert {name for names in file["phrases"].values() for name in names} <= heads


def test_what_people_also_ask_belongs_to_services_and_to_one_only() -> None:
    questions = [question for each in lexicon.asked().values() for question in each]
    assert set(lexicon.asked()) <= set(catalogue.services())
    assert len(questions) > 700
    assert [one for one, times in Counter(questions).items() if times > 1] == []


def test_dangers_lead_to_services_and_give_a_number() -> None:
    found = danger.dangers()
    assert {"scam", "stolen", "wrong", "life"} <= {one.name for one in found}
    for one in found:
        assert set(one.services) <= set(catalogue.services())
        assert "110" in "".join(one.says)
        assert "{hotline}" in "".join(one.says)
        assert all(cleaned(sign) == sign for sign in (*one.signs, *one.unless))


def test_the_persona_names_only_what_can_be_filled_in() -> None:
    file = lexicon.content(lexicon.PACKS / "persona.yaml")
    sayings = [text for text in file.values() if isinstance(text, str)]
    for text in (*sayings, *file["hello"].values()):
        assert {name for _, name, _, _ in Formatter().parse(text) if name} <= {"name", "bank"}
    assert Settings().bot_name in persona.courtesy(Settings(), "你叫什么名字")
