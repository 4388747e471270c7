"""Notes, checkpoints, cosignatures and proofs: as others write them; nothing else is read."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.proof import tree
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.cosignature import Cosignature
from lifecycle.proof.errors import Malformed, ProofError, Unverified
from lifecycle.proof.keys import COSIGNATURE, SignerKey, VerifierKey
from lifecycle.proof.note import Note, Signature, parse, sign
from lifecycle.proof.tlog_proof import TlogProof
from tests.proof import trees

# The example of Go's golang.org/x/mod/sumdb/note.
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
NOTE = f"{TEXT}\n{LINE}".encode()
PETER = VerifierKey.parse(PUBLIC)
ENOCH = VerifierKey.parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33"
    "WWd1RvMc+QQ=\n"
)

LOG = SignerKey("example.org/lifecycle/1", bytes(range(32)))
WITNESS = SignerKey("witness.example/w1", bytes(range(1, 33)), COSIGNATURE)
OTHER = SignerKey("witness.example/w2", bytes(range(2, 34)), COSIGNATURE)
ENTRIES = trees.entries_of(21)
HEAD = Checkpoint(LOG.name, 21, trees.mth(ENTRIES))
SIGNED = sign(HEAD.text, LOG, WITNESS)
PROOF = TlogProof(13, tuple(trees.path(13, ENTRIES)), SIGNED, b"what it is about")
LEAF = tree.hash_leaf(ENTRIES[13])


def test_the_note_that_others_sign() -> None:
    key = SignerKey.parse(SECRET)
    assert sign(TEXT, key).encode() == NOTE
    assert str(key.verifier) == PUBLIC
    assert key.secret_text() == SECRET
    assert "AYEK" not in repr(key)


def test_signatures_of_other_keys_are_left_out() -> None:
    note = parse(NOTE + ENOCH_LINE.encode())
    assert [each.name for each in note.verified([PETER])] == ["PeterNeumann"]
    assert [each.name for each in note.verified([PETER, ENOCH])] == ["PeterNeumann", "EnochRoot"]
    with pytest.raises(Unverified, match="no signature of a known key"):
        note.verified([])
    with pytest.raises(Unverified, match="no signature of a known key"):
        note.verified([PETER._replace(name="CarmenSandiego")])
    other = PETER._replace(public=ENOCH.public)
    with pytest.raises(Unverified, match="no signature of a known key"):
        note.verified([other])


def test_a_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    note = parse(NOTE + ENOCH_LINE.encode())
    wrong = note._replace(text="something else\n")
    with pytest.raises(Unverified, match="the signature of PeterNeumann is wrong"):
        wrong.verified([PETER, ENOCH])
    second = Signature("PeterNeumann", PETER.key_id, bytes(64))
    with pytest.raises(Unverified, match="is wrong"):
        note._replace(signatures=(*note.signatures, second)).verified([PETER])


def test_two_keys_under_one_name_and_id_are_refused() -> None:
    class Colliding(VerifierKey):
        key_id = PETER.key_id

    with pytest.raises(Unverified, match="two keys under PeterNeumann"):
        parse(NOTE).verified([PETER, Colliding("PeterNeumann", bytes(32))])
    assert parse(NOTE).verified([PETER, PETER])


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        f"{TEXT}\n".encode(),
        NOTE[:-1],
        b"\x01" + NOTE,
        b"\xff" + NOTE,
        NOTE.replace(b"\n", b"\r\n"),
        NOTE + b"Unexpected line.\n",
        NOTE + b"\n",
        f"{TEXT}{LINE}".encode(),
        f"{TEXT}\n{LINE * 101}".encode(),
        NOTE.replace("— ".encode(), b"- "),
        NOTE.replace("— ".encode(), "—  ".encode()),
        NOTE.replace(b"PeterNeumann", b"Peter+Neumann"),
        NOTE.replace(b"PeterNeumann", b"Peter Neumann"),
        NOTE.replace(b"PeterNeumann", "Peter\u2003Neumann".encode()),
        NOTE.replace(b"PeterNeumann", b""),
        NOTE.replace(b"nAM=", b"nAN="),  # another way to write the same bytes
        NOTE.replace(b"nAM=", b"nAM"),
        NOTE.replace(b"nAM=", b"nAM=="),
        NOTE.replace(b"/ZJ", b"_ZJ"),
        f"{TEXT}\n— PeterNeumann x08gow==\n".encode(),
        f"{'x' * 1_000_000}{NOTE.decode()}".encode(),
        b"",
    ],
)
def test_no_other_note_is_read(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


def test_a_text_may_have_empty_lines_and_what_looks_like_signatures() -> None:
    key = SignerKey.parse(SECRET)
    for text in (f"a\n\n{LINE}\nb\n", "\n", "\n\n\n", "è subito sera.\n"):
        note = parse(sign(text, key).encode())
        assert note.text == text
        assert note.verified([PETER])
    for text in ("no end", ""):
        with pytest.raises(Malformed):
            sign(text, key).encode()


def mangled(text: str) -> Iterator[str]:
    for start in range(len(text) + 1):
        for end in range(start + 1, len(text) + 1):
            if (start, end) != (0, len(text)):
                yield text[start:end]
    for place, character in enumerate(text):
        yield f"{text[:place]}{chr(ord(character) + 1)}{text[place + 1 :]}"


def test_no_other_key_is_read() -> None:
    for kind, text in ((VerifierKey, PUBLIC), (SignerKey, SECRET)):
        for each in mangled(text):
            with pytest.raises(Malformed):
                kind.parse(each)
    with pytest.raises(Malformed, match=r"^no signer key$"):
        SignerKey.parse(SECRET + "=")
    for wrong in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PUBLIC.replace("c74f20a3", "C74F20A3"),
    ):
        with pytest.raises(Malformed):
            VerifierKey.parse(wrong)


@pytest.mark.parametrize("algorithm", [1, 4])
def test_a_new_key_is_read_back(algorithm: int) -> None:
    key = SignerKey.generate("example.org/x", algorithm)
    assert SignerKey.parse(key.secret_text()).verifier == VerifierKey.parse(str(key.verifier))
    with pytest.raises(Malformed):
        SignerKey.generate("with space", algorithm)
    with pytest.raises(Malformed):
        SignerKey("example.org/x", bytes(31), algorithm)


def test_a_checkpoint_is_read_back() -> None:
    assert HEAD.text == f"{LOG.name}\n21\n{base64.b64encode(HEAD.root).decode()}\n"
    more = HEAD._replace(extensions=("one", "two three"))
    for each in (HEAD, more, HEAD._replace(size=0), HEAD._replace(size=2**63 - 1)):
        assert Checkpoint.parse(each.text) == each
    for wrong in (
        HEAD._replace(origin=""),
        HEAD._replace(origin="a\nb"),
        HEAD._replace(size=-1),
        HEAD._replace(size=2**63),
        HEAD._replace(root=bytes(31)),
        HEAD._replace(extensions=("",)),
    ):
        with pytest.raises(Malformed):
            wrong.text  # noqa: B018


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n21\n", "\n021\n"), ("\n21\n", "\n+21\n"), ("\n21\n", "\n-1\n"), ("\n21\n", "\n2_1\n"),
        ("\n21\n", "\n\u0662\u0661\n"), ("\n21\n", "\n\n"), ("\n21\n", "\n21 \n"), ("=\n", "\n"),
        ("\n21\n", f"\n{2**63}\n"), ("\n21\n", f"\n{'9' * 5000}\n"), ("=\n", "=\n\n"), ("=\n", "="),
        ("=\n", "=\n\nx\n"), (LOG.name, ""), ("\n21\n", "\n"),
    ],
)  # fmt: skip
def test_no_other_checkpoint_is_read(old: str, new: str) -> None:
    assert old in HEAD.text
    with pytest.raises(Malformed):
        Checkpoint.parse(HEAD.text.replace(old, new))


def test_a_checkpoint_is_signed_by_its_own_log() -> None:
    data = SIGNED.encode()
    opened = open_checkpoint(data, [LOG.verifier], [WITNESS.verifier, OTHER.verifier], quorum=1)
    assert (opened.checkpoint, opened.witnesses) == (HEAD, {WITNESS.name})
    with pytest.raises(Unverified, match="cosigned by 1 of the witnesses, not by 2"):
        open_checkpoint(data, [LOG.verifier], [WITNESS.verifier, OTHER.verifier], quorum=2)
    other_log = SignerKey("example.org/other", bytes(range(3, 35)))
    with pytest.raises(Unverified, match="no signature of a known key"):
        open_checkpoint(sign(HEAD.text, other_log).encode(), [other_log.verifier])
    with pytest.raises(Unverified, match="no signature of a known key"):
        open_checkpoint(data, [WITNESS.verifier])


def test_one_witness_counts_once() -> None:
    twice = sign(HEAD.text, LOG, WITNESS, WITNESS)
    with pytest.raises(Unverified, match="cosigned by 1"):
        open_checkpoint(twice, [LOG.verifier], [WITNESS.verifier, WITNESS.verifier], quorum=2)


def test_a_cosignature_says_when() -> None:
    value = WITNESS.cosign(HEAD.text.encode(), 1_679_315_147)
    assert Cosignature.parse(value).timestamp == 1_679_315_147
    assert WITNESS.verifier.is_signed(HEAD.text.encode(), value)
    later = Cosignature(1_679_315_148, Cosignature.parse(value).signature)
    assert not WITNESS.verifier.is_signed(HEAD.text.encode(), later.value)
    assert not LOG.verifier.is_signed(HEAD.text.encode(), value)
    for wrong in (value[:-1], value + b"\0", b"\xff" + value[1:], b""):
        assert not WITNESS.verifier.is_signed(HEAD.text.encode(), wrong)
    with pytest.raises(Malformed, match="is no witness's key"):
        LOG.cosign(b"", 1)


def test_the_cosignature_of_the_specification_is_read() -> None:
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
        "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    (signature,) = parse(f"x\n\n{line}".encode()).signatures
    assert Cosignature.parse(signature.value).timestamp == 1_679_315_147
    assert str(signature) == line


def test_a_proof_is_read_back_and_holds() -> None:
    for proof in (PROOF, PROOF._replace(extra=None), PROOF._replace(extra=b"")):
        assert TlogProof.parse(proof.encode()) == proof
        signed = proof.verify(LEAF, [LOG.verifier], [WITNESS.verifier], quorum=1)
        assert signed.checkpoint == HEAD


def test_a_tree_of_one_leaf_needs_no_hashes() -> None:
    head = HEAD._replace(size=1, root=tree.hash_leaf(b"only"))
    proof = TlogProof(0, (), sign(head.text, LOG))
    TlogProof.parse(proof.encode()).verify(tree.hash_leaf(b"only"), [LOG.verifier])
    with pytest.raises(Unverified):
        proof.verify(tree.hash_leaf(b"other"), [LOG.verifier])


@given(st.data())
def test_no_changed_byte_of_a_proof_holds(data: st.DataObject) -> None:
    encoded = PROOF._replace(extra=None).encode()
    place = data.draw(st.integers(0, len(encoded) - 1))
    change = data.draw(st.sampled_from(("flip", "drop", "double", "cut", "insert")))
    byte = bytes([encoded[place] ^ data.draw(st.integers(1, 255))])
    changed = {
        "flip": encoded[:place] + byte + encoded[place + 1 :],
        "drop": encoded[:place] + encoded[place + 1 :],
        "double": encoded[: place + 1] + encoded[place:],
        "cut": encoded[:place],
        "insert": encoded[:place] + byte + encoded[place:],
    }[change]
    if changed == encoded:
        return
    with pytest.raises(ProofError):
        TlogProof.parse(changed).verify(LEAF, [LOG.verifier], [WITNESS.verifier], quorum=1)


@given(st.binary(max_size=80), st.integers(0, 400))
def test_whatever_is_read_is_written_so(noise: bytes, place: int) -> None:
    proof = PROOF.encode()
    for whole, read in ((proof, TlogProof.parse), (NOTE, parse)):
        data = whole[:place] + noise + whole[place:]
        try:
            assert read(data).encode() == data  # type: ignore[attr-defined, operator]
        except Malformed:
            continue


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"), ("index 13", "index 013"), ("index 13", "index -13"), ("index", "Index"),
        ("extra ", "extra"), ("extra ", "extra  "), ("index 13\n", ""),
        ("index 13\n", "index 13\n\n"), ("index 13", "index 21"),
        ("index 13\n", "index 13\nindex 13\n"), ("\n\nexample", "\nexample"),
    ],
)  # fmt: skip
def test_no_other_proof_is_read(old: str, new: str) -> None:
    text = PROOF.encode().decode()
    assert old in text
    with pytest.raises(Malformed):
        TlogProof.parse(text.replace(old, new, 1).encode())


def test_a_proof_without_end_is_refused_at_once() -> None:
    line = base64.b64encode(bytes(32)).decode() + "\n"
    many = f"c2sp.org/tlog-proof@v1\nindex 13\n{line * 80_000}\n".encode() + SIGNED.encode()
    with pytest.raises(Malformed, match="80000 hashes"):
        TlogProof.parse(many)
    with pytest.raises(Malformed, match="4000001 bytes"):
        TlogProof.parse(b"x" * 4_000_001)


@pytest.mark.parametrize("change", [{"leaf_index": 12}, {"leaf_index": 21}, {"hashes": ()}])
def test_a_proof_of_another_place_does_not_hold(change: dict[str, object]) -> None:
    with pytest.raises(ProofError):
        PROOF._replace(**change).verify(LEAF, [LOG.verifier])  # type: ignore[arg-type]


def test_a_proof_of_another_size_does_not_hold() -> None:
    for size in (14, 20, 22, 40):
        note = Note(HEAD._replace(size=size).text, SIGNED.signatures)
        with pytest.raises(ProofError):
            PROOF._replace(checkpoint=note).verify(LEAF, [LOG.verifier])


def test_no_signature_is_taken_of_what_is_no_point() -> None:
    assert not VerifierKey("x", b"\xff" * 32).is_signed(b"text\n", bytes(64))
    assert not VerifierKey("x", bytes(31)).is_signed(b"text\n", bytes(64))
    assert not PETER.is_signed(TEXT.encode(), bytes(10))


def test_notes_have_no_other_way_in() -> None:
    assert Note(TEXT, parse(NOTE).signatures).encode() == NOTE
    with pytest.raises(Malformed):
        Note(TEXT, ()).encode()
