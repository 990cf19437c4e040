"""Text in any script survives reading exactly; only what UTF-8 cannot hold is replaced, and counted."""

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dokimasia.core import Message
from dokimasia.sources import Location, read_source

GREETINGS = {
    "Amharic": "ሰላም፣ እንዴት ነህ?",
    "Arabic": "مرحبا، كيف حالك؟",
    "Armenian": "Բարև, ինչպե՞ս ես",
    "Assamese": "নমস্কাৰ, কেনে আছা?",
    "Bengali": "নমস্কার, কেমন আছেন?",
    "Bulgarian": "Здравей, как си?",
    "Burmese": "မင်္ဂလာပါ၊ နေကောင်းလား။",
    "Cherokee": "ᎣᏏᏲ, ᏙᎯᏧ?",
    "Chinese": "你好，最近怎么样？",
    "Czech": "Dobrý den, jak se máte?",
    "Danish": "Hej, hvordan går det på øen?",
    "Dhivehi": "އައްސަލާމު ޢަލައިކުމް",
    "Esperanto": "Saluton, ĉu ĝi ŝajnas ĵus?",
    "French": "Bonjour, ça va à l'œuvre ?",
    "Georgian": "გამარჯობა, როგორ ხარ?",
    "German": "Grüß Gott, wie geht's?",
    "Greek": "Γειά σου, τι κάνεις;",
    "Gujarati": "નમસ્તે, કેમ છો?",
    "Hausa": "Sannu, yaya aiki? Ƙwarai ɗan uwa",
    "Hawaiian": "Aloha, pehea ʻoe?",
    "Hebrew": "שָׁלוֹם, מה שלומך?",
    "Hindi": "नमस्ते, आप कैसे हैं?",
    "Hungarian": "Jó napot, hogy van? Őrült tűz",
    "Icelandic": "Halló, hvað segirðu, þú?",
    "Inuktitut": "ᐊᐃᓐᖓᐃ, ᖃᓄᐃᑉᐱᑦ?",
    "Japanese": "こんにちは、お元気ですか。カタカナも",
    "Kannada": "ನಮಸ್ಕಾರ, ಹೇಗಿದ್ದೀರಾ?",
    "Khmer": "សួស្តី តើអ្នកសុខសប្បាយទេ?",
    "Korean": "안녕하세요, 잘 지내세요?",
    "Lao": "ສະບາຍດີ, ເຈົ້າສະບາຍດີບໍ?",
    "Malayalam": "നമസ്കാരം, സുഖമാണോ?",
    "Mongolian": "ᠰᠠᠢᠨ ᠪᠠᠢᠨ᠎ᠠ ᠤᠤ",
    "Nepali": "नमस्कार, तपाईंलाई कस्तो छ?",
    "Odia": "ନମସ୍କାର, କେମିତି ଅଛନ୍ତି?",
    "Persian": "سلام، حال شما چطور است؟ می‌روم",
    "Polish": "Dzień dobry, jak się pan czuje? Żółw",
    "Portuguese": "Olá, como está a sua irmã? Ação",
    "Punjabi": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ, ਤੁਸੀਂ ਕਿਵੇਂ ਹੋ?",
    "Russian": "Здравствуйте, как дела?",
    "Sinhala": "ආයුබෝවන්, කොහොමද?",
    "Tamil": "வணக்கம், எப்படி இருக்கிறீர்கள்?",
    "Telugu": "నమస్కారం, మీరు ఎలా ఉన్నారు?",
    "Thai": "สวัสดีครับ สบายดีไหม",
    "Tibetan": "བཀྲ་ཤིས་བདེ་ལེགས།",
    "Tifinagh": "ⴰⵣⵓⵍ, ⵎⴰⵏⵣⴰⴽⵉⵏ?",
    "Turkish": "Merhaba, nasılsın? İğne ışığı",
    "Ukrainian": "Привіт, як ся маєш? Ґанок",
    "Urdu": "السلام علیکم، آپ کیسے ہیں؟",
    "Vietnamese": "Xin chào, bạn có khỏe không?",
    "Yiddish": "שלום־עליכם, װי גײט עס?",
    "Emoji": "👋🏽 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "Gothic": "𐌷𐌰𐌹𐌻𐍃",
}


def digest_by_hand(role, content):
    """The digest as its definition says: each part in UTF-8 behind its length as eight bytes."""
    parts = (role.encode(), content.encode())
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()[:16]


def layouts(text):
    record = {"prompt": text}
    yield json.dumps(record)
    yield json.dumps(record, ensure_ascii=False)
    yield "\ufeff" + json.dumps([record], ensure_ascii=False, indent=1)
    yield json.dumps({"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}, indent=1)


def test_there_are_forty_languages():
    """The greetings cover at least forty languages."""
    assert len(GREETINGS) - 2 >= 40


@pytest.mark.parametrize("text", GREETINGS.values(), ids=GREETINGS)
def test_every_script_survives(write, text):
    """A greeting comes out as it went in, with one digest in every layout of the file."""
    for content in layouts(text):
        source = read_source(Location(write(content)))
        assert source.transcripts[0].messages == (Message("user", text),)
        assert source.transcripts[0].digest == digest_by_hand("user", text)
        assert source.notes == {}


def test_digests_are_the_same_on_every_machine(write):
    """A digest depends on roles and contents only, and is the one that it has always been."""
    content = '{"prompt": "Grüße, 世界 👋", "id": "%s", "suite": "%s", "misbehaved": %s}'
    found = [
        read_source(Location(write(content % rest))).transcripts[0].digest
        for rest in (("a", "s", "true"), ("b", "t", "null"))
    ]
    assert found == ["b35566a2c3fe981c"] * 2


@pytest.mark.parametrize(
    "text",
    [
        "\u202eabc\u202c",
        "שלום \u2067English\u2069 עולם",
        "\u200fمرحبا\u200e",
        "zero\u200bwidth\u200d",
        "e\u0301 is not \u00e9",
        "\x01\x1f\x7f",
        "\ufffe\uffff",
    ],
    ids=ascii,
)
def test_direction_marks_and_odd_characters_are_kept(write, text):
    """Marks of writing direction, joiners and control characters are text like any other, and are not normalised."""
    source = read_source(Location(write({"prompt": text})))
    assert source.transcripts[0].input_text == text
    assert source.notes == {}


@pytest.mark.parametrize(
    ("escaped", "rest"),
    [
        (r"a\ud800b", ("a", "b")),
        (r"\udc00 at the start", ("", " at the start")),
        (r"at the end\udfff", ("at the end", "")),
        (r"a\u0000b", ("a", "b")),
        (r"ä\ud83d ü", ("ä", " ü")),
    ],
)
@pytest.mark.parametrize("record", ['{{"prompt": "{}"}}', '[{{"messages": [{{"role": "user", "content": "{}"}}]}}]'])
def test_what_utf_8_cannot_hold_is_replaced_and_counted(write, escaped, rest, record):
    """Lone surrogates and NUL become U+FFFD and are noted; what stands around them stays."""
    source = read_source(Location(write(record.format(escaped))))
    text = source.transcripts[0].input_text
    assert text.startswith(rest[0])
    assert text.endswith(rest[1])
    assert set(text[len(rest[0]) : len(text) - len(rest[1])]) == {"\ufffd"}
    assert list(source.notes.values()) == [1]
    assert "U+FFFD" in next(iter(source.notes))
    assert len(source.digest) == 16


def test_a_pair_of_surrogates_is_one_character(write):
    """An escaped pair is the character that it spells, and no repair."""
    source = read_source(Location(write(r'{"prompt": "\ud83d\udc4b"}')))
    assert source.transcripts[0].input_text == "👋"
    assert source.notes == {}


def test_surrogates_in_every_field_are_repaired(write):
    """Ids, suites, templates and roles with lone surrogates can be written to a file afterwards."""
    odd = r"x\udc80"
    content = (
        f'{{"id": "{odd}", "suite": "{odd}", "template": "{odd}", "messages": [{{"role": "{odd}", "content": "a"}}]}}'
    )
    source = read_source(Location(write(content)))
    item = source.transcripts[0]
    for text in (item.id, item.source, item.template, item.messages[0].role):
        assert text.encode().startswith(b"x\xef\xbf\xbd")
    assert len(source.digest) == 16


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=5)
)
def test_any_text_survives_in_any_layout(write, texts):
    """Whatever the texts, JSON Lines, an array and escapes give the same transcripts."""
    texts = [f"{text}." for text in texts]
    for ascii_only in (True, False):
        lines = [json.dumps({"prompt": text, "id": n}, ensure_ascii=ascii_only) for n, text in enumerate(texts)]
        for content in ("\n".join(lines), "[" + ",".join(lines) + "]", "\ufeff[\n" + "\n,".join(lines) + "]\n"):
            source = read_source(Location(write(content)))
            assert [item.input_text for item in source.transcripts] == texts
