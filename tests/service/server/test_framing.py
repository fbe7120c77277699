"""Where requests begin and end."""

from __future__ import annotations

import pytest

from service.problems import Problem
from service.server.framing import (
    CHUNKED_PIECE,
    MAX_FRAMING_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    RequestFramer,
    checked_head,
)

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HOST = (b"host", b"localhost")


def pieces(framer: RequestFramer, *sent: bytes) -> list[bytes]:
    """What is to be parsed of what is sent."""
    taken = []
    for part in sent:
        framer.add(part)
        while piece := framer.next_piece():
            taken.append(piece)
    return taken


def with_body(*headers: tuple[bytes, bytes]) -> RequestFramer:
    """A framer that has given the parser a head with these headers."""
    framer = RequestFramer()
    assert framer.expect_body([HOST, *headers], "1.1")
    return framer


def status(framer: RequestFramer, *sent: bytes) -> int:
    """The status with which what is sent is refused."""
    with pytest.raises(Problem) as caught:
        pieces(framer, *sent)
    return caught.value.status_code


def test_a_piece_is_one_head():
    assert pieces(RequestFramer(), HEAD * 3) == [HEAD] * 3


def test_a_head_is_parsed_once_it_is_there_however_it_comes():
    assert pieces(RequestFramer(), *(bytes([byte]) for byte in HEAD * 2)) == [HEAD] * 2


def test_empty_lines_before_a_head_are_passed_over():
    framer = RequestFramer()
    assert pieces(framer, b"\r\n\r\n\r\n", b"\r\n" + HEAD + b"\r\n") == [HEAD]
    assert framer.waiting == 0


@pytest.mark.parametrize("sent", [b"\x16\x03\x01", b"get / HTTP", b"<html>", b" GET /", b"G" * 50])
def test_what_does_not_begin_like_a_request_is_refused_at_once(sent: bytes):
    assert status(RequestFramer(), sent) == 400


@pytest.mark.parametrize("line", [b"GET /", b"GET / HTTP/0.9", b"GET / HTTP/2.0", b"GET / HTTP/1.2", b"A / RTSP/1.0"])
def test_other_versions_and_protocols_are_refused(line: bytes):
    assert status(RequestFramer(), line + b"\r\nHost: localhost\r\n\r\n") == 400


def test_a_head_has_a_limit_of_bytes_whether_it_is_complete_or_not():
    def head(size: int) -> bytes:
        return HEAD[:-2] + b"X: " + b"a" * (size - len(HEAD) - 5) + b"\r\n\r\n"

    assert pieces(RequestFramer(), head(MAX_HEAD_BYTES)) == [head(MAX_HEAD_BYTES)]
    assert status(RequestFramer(), head(MAX_HEAD_BYTES + 1)) == 431
    assert status(RequestFramer(), HEAD + b"GET /" + b"a" * MAX_HEAD_BYTES) == 431


@pytest.mark.parametrize("behind", [b"", HEAD, HEAD[:5]])
def test_headers_are_counted_whatever_follows_in_the_same_read(behind: bytes):
    most = HEAD[:-2] + b"X: a\r\n" * (MAX_HEADERS - 1) + b"\r\n"
    assert pieces(RequestFramer(), most)
    assert status(RequestFramer(), most[:-2] + b"X: a\r\n\r\n" + behind) == 431


def test_an_upgrade_that_is_asked_for_is_not_seen_by_the_parser():
    head = HEAD[:-2] + b"Connection: Upgrade\r\nUPGRADE: h2c\r\n\r\n"
    assert b"\r\nupgrade:" not in checked_head(head).lower()
    assert b": h2c\r\n" in checked_head(head)
    assert checked_head(HEAD) == HEAD


@pytest.mark.parametrize("zeros", [0, 20, 5000])
def test_a_body_of_a_known_length_ends_there(zeros: int):
    framer = with_body((b"content-length", b"0" * zeros + b"6"))
    framer.add(b"abc")
    assert not framer.body_is_here
    assert framer.next_piece() == b"abc"
    framer.count_body(3)
    framer.add(b"def" + HEAD)
    assert framer.body_is_here
    assert framer.next_piece() == b"def"
    framer.count_body(3)
    framer.end_request()
    assert pieces(framer) == []
    assert framer.next_piece() == HEAD


def test_a_body_of_no_length_is_none():
    assert not RequestFramer().expect_body([HOST, (b"content-length", b"000")], "1.1")
    assert not RequestFramer().expect_body([HOST], "1.1")


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"0;a=b\r\nA: b\r\nC: d\r\n\r\n"])
@pytest.mark.parametrize("data", [b"abc", b"\r\n\r\n", b"\r\n", b"\r"])
def test_no_piece_of_a_chunked_body_reaches_past_its_end(end: bytes, data: bytes):
    body = (b"%x\r\n" % len(data) + data + b"\r\n") * 2 + end
    for cut in range(len(body) + 5):
        framer = with_body((b"transfer-encoding", b"Chunked "))
        taken = b""
        for part in ((body + HEAD)[:cut], (body + HEAD)[cut:]):
            framer.add(part)
            while taken != body and (piece := framer.next_piece()):
                taken += piece
                assert body.startswith(taken)
        assert taken == body
        framer.end_request()
        assert framer.next_piece() == HEAD


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip", b"chunked, chunked", b"identity"])
def test_other_codings_than_chunked_are_refused(coding: bytes):
    with pytest.raises(Problem) as caught:
        RequestFramer().expect_body([HOST, (b"transfer-encoding", coding)], "1.1")
    assert caught.value.status_code == 400


def test_chunks_are_refused_in_http_1_0():
    with pytest.raises(Problem):
        RequestFramer().expect_body([HOST, (b"transfer-encoding", b"chunked")], "1.0")


def test_a_request_has_one_host():
    for hosts in (0, 2):
        with pytest.raises(Problem):
            RequestFramer().expect_body([HOST] * hosts, "1.1")
    RequestFramer().expect_body([], "1.0")
    with pytest.raises(Problem):
        RequestFramer().expect_body([HOST] * 2, "1.0")


def refused_after(framer: RequestFramer, first: bytes, part: bytes, data: int) -> int:
    """After how many bytes an endless body is refused, of which each part has so many bytes of data."""
    sent = 0

    def send() -> None:
        nonlocal sent
        while sent < 4 * 2**20:
            framer.add(part if sent else first + part)
            sent += len(part)
            while framer.next_piece():
                pass
            framer.count_body(data)

    with pytest.raises(Problem) as caught:
        send()
    assert caught.value.status_code == 431
    return sent


@pytest.mark.parametrize("first", [b"0\r\nX: ", b"0\r\n", b"1;a=", b"3;a=b\r\nabc\r\n0;"])
@pytest.mark.parametrize("part", [b"a" * 1000, b"A: b\r\n" * 1000])
def test_trailers_and_extensions_without_end_are_refused(first: bytes, part: bytes):
    sent = refused_after(with_body((b"transfer-encoding", b"chunked")), first, part, 0)
    assert MAX_FRAMING_BYTES / 2 < sent < MAX_FRAMING_BYTES + CHUNKED_PIECE + len(part)


def test_much_data_pays_for_no_endless_trailer():
    framer = with_body((b"transfer-encoding", b"chunked"))
    framer.add(b"fffff\r\n" + b"a" * 2**20)
    while piece := framer.next_piece():
        framer.count_body(piece.count(b"a"))
    assert refused_after(framer, b"", b"a" * 1000, 0) < MAX_FRAMING_BYTES + CHUNKED_PIECE + 1000


def test_chunks_of_little_data_are_refused_once_they_are_many():
    chunk = b"1\r\na\r\n" * 1000
    assert refused_after(with_body((b"transfer-encoding", b"chunked")), b"", chunk, 1000) < 4 * MAX_FRAMING_BYTES


def test_chunks_of_usual_sizes_are_not():
    framer = with_body((b"transfer-encoding", b"chunked"))
    for _ in range(20_000):
        framer.add(b"64\r\n" + b"a" * 100 + b"\r\n")
        while framer.next_piece():
            pass
        framer.count_body(100)
