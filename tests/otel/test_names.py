"""`Names`: plain, or keyed hashes that agree wherever the key is the same."""

from token_otel.otel.names import Names


def test_plain_names_are_shown():
    """By default."""
    assert Names().show("researcher") == "researcher"
    assert Names(key="k").origin("agent:researcher") == "agent:researcher"


def test_a_hash_depends_on_name_and_key():
    """The same key in every process that should agree."""
    first, again, other = Names(hashed=True, key="k"), Names(hashed=True, key="k"), Names(hashed=True, key="l")

    assert first.show("researcher") == again.show("researcher")
    assert first.show("researcher") != other.show("researcher")
    assert first.show("researcher") != first.show("writer")
    assert len(first.show("researcher")) == 12


def test_a_hash_is_the_same_in_every_process():
    """And in every release: what stands in a backend must still join."""
    assert Names(hashed=True, key="k").show("researcher") == "78c12b35ba62"


def test_without_a_key_two_processes_differ():
    """A key nobody set is random: names that can be guessed must not be found by trying."""
    assert Names(hashed=True).show("researcher") != Names(hashed=True).show("researcher")


def test_an_origin_keeps_its_kind():
    """What stands behind the colon is hashed, roles are left alone; a colon in a name is part of it."""
    names = Names(hashed=True, key="k")

    assert names.origin("tool:search") == f"tool:{names.show('search')}"
    assert names.origin("agent:a:b") == f"agent:{names.show('a:b')}"
    assert names.origin("user") == "user"
    assert names.origin("tool") == "tool"


def test_any_text_can_be_hashed():
    """Half a surrogate pair in a name, a key of bytes that are no UTF-8."""
    assert len(Names(hashed=True, key="\udcff").show("\ud800")) == 12


def test_an_id_is_hashed_as_a_name_and_stays_as_unique():
    """A server may make a call's id of the tool's name; what joins processes is as long as ids that do, what does not is shorter."""
    names = Names(hashed=True, key="k")

    assert Names().id("functions.search:0") == "functions.search:0"
    assert names.id("functions.search:0") == Names(hashed=True, key="k").id("functions.search:0")
    assert (len(names.id("functions.search:0")), len(names.id("call_0"))) == (24, 12)
