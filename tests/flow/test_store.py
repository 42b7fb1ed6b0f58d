"""The store: bounded in bytes, the least recently used conversation going first."""

from token_otel.events import Part
from token_otel.flow.producer import Producer
from token_otel.flow.store import CONVERSATION_ENTRIES, ENTRY_BYTES, Store

AGENT = Producer("agent", "a")


def said(number: int, message_id: str | None = None) -> Part:
    return Part(kind="assistant", text=f"sentence number {number:06}", message_id=message_id)


def knows(store: Store, conversation: str, number: int) -> bool:
    return store.conversation(conversation).get(hash(said(number).text)) is not None


def test_the_least_recently_used_conversation_goes_first():
    """Naming it is using it."""
    # Three conversations of one text each, which an agent enters twice: as the conversation's and as its own.
    store = Store(3 * (CONVERSATION_ENTRIES + 2) * ENTRY_BYTES)
    for number, key in enumerate("abc"):
        store.produced(key, AGENT, [said(number)])
    store.conversation("a")
    store.produced("d", AGENT, [said(3)])

    assert knows(store, "a", 0)
    assert not knows(store, "b", 1)
    assert store.evicted == CONVERSATION_ENTRIES + 2 + CONVERSATION_ENTRIES + 2  # b, then c, to make room for b named anew


def test_a_single_conversation_drops_its_older_half():
    """What is asked for stays young."""
    store = Store(100 * ENTRY_BYTES)
    for number in range(200):
        store.produced("a", AGENT, [said(number)])
        assert number < 3 or knows(store, "a", 3)
        assert store.bytes <= 100 * ENTRY_BYTES

    assert not knows(store, "a", 4)
    assert knows(store, "a", 199)


def test_what_an_open_run_produces_in_a_conversation_that_went_is_counted_once():
    """A conversation that begins anew is a conversation: nothing is counted that cannot be dropped again."""
    store = Store(20 * ENTRY_BYTES)
    for number in range(2_000):
        store.produced("abc"[number % 3], AGENT, [said(number), said(number + 7)])

    assert store.bytes <= 20 * ENTRY_BYTES


def test_conversations_that_only_read_are_bounded_too():
    """Embeddings produce nothing."""
    store = Store(50 * ENTRY_BYTES)
    for number in range(1_000):
        conversation = store.conversation(f"c{number}")
        store.reader(conversation, "a").saw([number, -number])
        store.weigh(conversation)
        assert store.bytes <= 50 * ENTRY_BYTES


def test_empty_conversations_are_bounded_too():
    """Each costs something before anything is said in it."""
    store = Store(50 * ENTRY_BYTES)
    for number in range(1_000):
        store.conversation(f"c{number}")

    assert store.bytes <= 50 * ENTRY_BYTES
    assert len(store._conversations) <= 50 // CONVERSATION_ENTRIES  # pyright: ignore[reportPrivateUsage]


def test_a_talkative_conversation_leaves_a_quarter_to_global_ids():
    """Of which those known longest go first."""
    store = Store(400 * ENTRY_BYTES)
    for number in range(1_000):
        store.produced("a", AGENT, [said(number, message_id=f"msg_{number:020}")])

    assert len(store._homes) >= 100  # pyright: ignore[reportPrivateUsage]
    assert store.bytes <= 400 * ENTRY_BYTES
    assert store.home([said(999, message_id=f"msg_{999:020}")]) == "a"
    assert store.home([said(0, message_id=f"msg_{0:020}")]) is None


def test_a_global_id_leads_to_no_conversation_that_went():
    """Its producer is known all the same."""
    store = Store(40 * ENTRY_BYTES)
    message = said(1, message_id="msg_0123456789abcdef")
    store.produced("a", AGENT, [message])
    for number in range(45):
        store.produced("bcd"[number // 15], AGENT, [said(100 + number)])

    assert store.home([message]) is None
    assert store.by_message(store.conversation("b"), "msg_0123456789abcdef", hash(message.text)) is AGENT


def test_a_bound_too_small_for_anything_ends_all_the_same():
    """TOKEN_OTEL_STORE_MB=0.000001 is accepted."""
    store = Store(1)
    store.produced("a", AGENT, [said(1, message_id="msg_0123456789abcdef")])
    store.produced("b", AGENT, [said(2)])

    assert store.bytes <= CONVERSATION_ENTRIES * ENTRY_BYTES


def test_no_text_is_kept():
    """Hashes recognise a text and cannot be read."""
    store = Store(1 << 20)
    store.produced("a", AGENT, [Part(kind="tool_call", text='ask {"q": "the secret of the ledger"}', call_id="call_0")])

    young = store.conversation("a")._young  # pyright: ignore[reportPrivateUsage]
    assert "secret" not in repr(young)
    assert store.caller("a", "call_0") is AGENT


def test_an_id_of_a_million_characters_is_not_kept():
    """An entry weighs the same whatever its id: the bound would hold no more."""
    store, endless = Store(1_000_000), "i" * 1_000_000
    before = store.bytes
    store.produced("c", Producer("agent", "a"), [Part(kind="tool_call", text="short", message_id=endless, call_id=endless)])

    assert store.by_message(store.conversation("c"), endless, hash("short")) is None
    assert store.caller("c", endless) is None
    assert store.bytes == before + CONVERSATION_ENTRIES * ENTRY_BYTES
