from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.problems import Problem
from service.web.strict_json import parse_json, refuse_repeated_keys

JSON = {"Content-Type": "application/json"}


def test_json_is_read_as_json():
    text = '{"a": [1, 2.5, -3e2, "\\u00e9", true, null], "b": {}}'
    assert parse_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'"\xff"',
        b"\xfe\xff\x00{\x00}",
        b"[" * 20_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"1 2",
        b"01",
    ],
)
def test_malformed_json_is_a_400(text: bytes, client: TestClient):
    with pytest.raises(Problem) as caught:
        parse_json(text)
    assert caught.value.status_code == 400
    assert client.post("/decode", content=text, headers=JSON).status_code == 400


@pytest.mark.parametrize("depth", [100, 300, 500, 800, 950, 990])
def test_deep_values_are_no_500(client: TestClient, depth: int):
    for opened, closed in (("[", "]"), ('{"value":', "}")):
        value = opened * depth + "1" + closed * depth
        response = client.post("/decode", content=f'{{"attributes": {{"scale": {value}}}}}', headers=JSON)
        assert response.status_code in (200, 400, 422)


def test_a_key_that_comes_twice_among_very_many_is_found():
    keys = ",".join(f'"{i}":0' for i in range(100_000))
    with pytest.raises(Problem, match="there twice"):
        parse_json(f'{{{keys},"0":0}}'.encode())


# Text without lone surrogates and numbers that a double can hold: what every writer of JSON can write.
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
keys = st.one_of(st.text(max_size=4), st.sampled_from(["a", "a:b", "[1]", '"', "\\", "é", ""]))
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=20,
)


@given(content=documents, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
@settings(max_examples=500, deadline=None)
def test_valid_json_is_parsed_as_the_standard_library_does(content: Any, ascii_only: bool, indent: int | None):
    text = json.dumps(content, ensure_ascii=ascii_only, indent=indent)
    # repr, as True == 1 == 1.0 and -0.0 == 0.0
    assert repr(parse_json(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text", ["-0", "1E5", "1e999", "-1e999", "1" * 300, '"\\ud800"', '{"\\ud800": [1]}', " [ ] \n"]
)
def test_unusual_json_is_parsed_as_the_standard_library_does(text: str):
    assert repr(parse_json(text.encode())) == repr(json.loads(text))


def test_an_integer_too_long_for_python_is_infinite():
    assert parse_json(b"[" + b"1" * 5000 + b"]") == [float("inf")]


REPEATED = [
    '{"a": 1, "a": 2}',
    '{"a": 1, "a": 1}',
    '{"a": 1, "\\u0061": 2}',
    '{"": 1, "": 2}',
    '{"a": {"b": {"c": 1, "c": 1}}}',
    '[{"a": 1}, {"a": 1, "a": 1}]',
    '[[[{"a": 1, "a": 1}]]]',
    '{"list": [{"a": 1, "b": 2}, {"b": 1, "b": 2}]}',
    '[1, {"a": 1, "a": 2}]',
    '["text", {"a": 1, "a": 2}]',
    '[null, {"a": 1, "a": 2}]',
    '{"a": [1, 2], "a": [3]}',
    '{"a[1]": 0, "a[1]": 0}',
    '{"n": [1, 2, 3], "a": 1, "a": 2, "m": [4]}',
    '{"a": {}, "a": {}}',
    '{"text": "a:b", "a": 1, "a": 2}',
]
DIFFERENT = [
    '{"a": 1, "A": 1}',
    '{"a": {"a": {"a": 1}}}',
    '[{"a": 1}, {"a": 1}]',
    '[1, {"a": 1}, {"a": 2}]',
    '{"a[1]": 0, "a[2]": 0}',
    '{"a[1]": [1], "a[2]": [2]}',
    '{"[1, 2]": {"[]": 1}, "[1]": {"[]": 1}}',
    '{"a": "{\\"b\\": 1, \\"b\\": 2}"}',
    '{"a": ":::", "b": [":"]}',
    "[1, 2.5, -3e2]",
    '"a"',
    "7",
]


@pytest.mark.parametrize("text", REPEATED)
def test_a_key_that_an_object_has_twice_is_refused_at_any_depth(text: str):
    for parse in (parse_json, refuse_repeated_keys):
        with pytest.raises(Problem, match="is there twice") as caught:
            parse(text.encode())
        assert caught.value.status_code == 400


@pytest.mark.parametrize("text", DIFFERENT)
def test_different_keys_and_keys_of_different_objects_are_accepted(text: str):
    assert parse_json(text.encode()) == json.loads(text)
    refuse_repeated_keys(text.encode())


def test_repeated_keys_are_found_without_making_what_the_document_holds():
    document = b'{"a": [{}, ' + b"[], " * 200_000 + b"[]]}"
    tracemalloc.start()
    try:
        refuse_repeated_keys(document)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(document), "an empty list takes 56 bytes"


@given(content=st.dictionaries(keys, documents, min_size=1, max_size=4), depth=st.integers(0, 3), data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_key_repeated_anywhere_is_refused(content: dict[str, Any], depth: int, data: st.DataObject):
    again = data.draw(st.sampled_from(list(content)))
    text = f"{json.dumps(content)[:-1]}, {json.dumps(again)}: {json.dumps(data.draw(documents))}}}"
    for _ in range(depth):
        text = data.draw(st.sampled_from(['{"in": %s, "n": [1, 2]}', "[%s]", "[1.5, %s]", '[{"x": 1}, %s]'])).replace(
            "%s", text
        )
    for parse in (parse_json, refuse_repeated_keys):
        with pytest.raises(Problem, match="is there twice"):
            parse(text.encode())
