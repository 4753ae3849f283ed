"""Where settings come from, which wins, and the one line that says what is wrong with one."""

import json
from pathlib import Path

import msgspec
import pytest

from streamer.config.models import ModelConfig
from streamer.config.schema import Config
from streamer.config.segmentation import VadConfig
from streamer.config.sources import SettingsError, load_config, parse
from streamer.config.variables import misnamed, token_of_client

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def refuse(
    path: Path | None,
    environment: dict[str, str] | None = None,
    overrides: dict[tuple[str, str], object] | None = None,
) -> str:
    with pytest.raises(SettingsError) as caught:
        load_config(path, environment or {}, overrides or {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- config.json ---


def test_the_file_at_the_root_is_the_defaults_and_holds_every_key() -> None:
    path = ROOT / "config.json"
    assert load_config(path, {}, {}) == Config()
    assert json.loads(path.read_text()) == json.loads(msgspec.json.encode(Config()))


def test_nothing_at_all_is_the_defaults() -> None:
    assert load_config(None, {}, {}) == Config()


def test_a_file_may_hold_any_part(file: Path) -> None:
    file.write_text('{"vad": {"threshold": 0.6}}')
    assert load_config(file, {}, {}) == Config(vad=VadConfig(threshold=0.6))
    file.write_text("{}")
    assert load_config(file, {}, {}) == Config()


# --- Precedence ---


@pytest.mark.parametrize(
    ("environment", "overrides", "port"),
    [
        ({}, {}, 1),
        ({"STREAMER_SERVER__PORT": "2"}, {}, 2),
        ({"STREAMER_SERVER__PORT": "2"}, {("server", "port"): 3}, 3),
        ({}, {("server", "port"): 3}, 3),
    ],
)
def test_file_then_environment_then_flags(
    file: Path, environment: dict[str, str], overrides: dict[tuple[str, str], object], port: int
) -> None:
    file.write_text('{"server": {"port": 1, "host": "0.0.0.0"}}')
    config = load_config(file, environment, overrides)
    assert (config.server.port, config.server.host) == (port, "0.0.0.0")


def test_environment_and_flags_without_a_file() -> None:
    environment = {"STREAMER_VAD__THRESHOLD": "0.7", "STREAMER_SERVER__PORT": "2"}
    config = load_config(None, environment, {("server", "port"): 3})
    assert (config.vad.threshold, config.server.port) == (0.7, 3)


@pytest.mark.parametrize(
    "environment",
    [
        {"STREAMER_MODELS": "/models"},
        {"STREAMER_MODELS": "not/json", "STREAMER_": "x", "STREAMER": "y"},
        {"SERVER__PORT": "1", "OTHER_STREAMER_SERVER__PORT": "1", "streamer_server__port": "1"},
    ],
)
def test_other_variables_are_not_settings(environment: dict[str, str]) -> None:
    assert load_config(None, environment, {}) == Config()


@pytest.mark.parametrize(
    ("variable", "near"),
    [("SEVER__PORT", "server"), ("SERVER__PROT", "port"), ("VAD__TRESHOLD", "threshold")],
)
def test_a_misspelt_section_or_key_is_told_with_the_near_one(variable: str, near: str) -> None:
    assert refuse(None, {f"STREAMER_{variable}": "1"}).endswith(f"; did you mean '{near}'?")


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("http://127.0.0.1:9311/", "no slash at its end; did you mean http://127.0.0.1:9311?"),
        ("https://a.example/app/", "no path; did you mean https://a.example?"),
        ("https://a.example?b", "no path; did you mean https://a.example?"),
        ("a.example", "allowed: https://example.com, or *"),
        ("https://", "allowed: https://example.com, or *"),
        ("localhost:8000", "begins with http:// or https://; did you mean http://localhost:8000?"),
        ("ws://localhost:8000", "begins with http:// or https://; did you mean http://localhost:8"),
        ("wss://a.example:9", "begins with http:// or https://; did you mean https://a.example:9?"),
        ("http://*.example", "a name has no * within; name each origin, or give * alone for all"),
        ("http://a.example:80", "browsers leave out this port; did you mean http://a.example?"),
        ("https://a.example:443", "browsers leave out this port; did you mean https://a.example?"),
    ],
)
def test_an_origin_that_no_page_has_is_told_as_it_was_meant(
    file: Path, origin: str, says: str
) -> None:
    file.write_text(json.dumps({"access": {"origins": [origin]}}))
    refused = refuse(file)
    begins = f"'access.origins' holds {origin!r}; "
    assert any(
        f"{begins}{subject}{says}" in refused for subject in ("", "an origin ", "an origin has ")
    )


@pytest.mark.parametrize(
    ("key", "example"),
    [
        ("ACCESS__ORIGINS", '["https://example.com"]'),
        ("SERVER__FORWARDED_ALLOW_IPS", '["10.0.0.1"]'),
        ("MODEL__KEYTERMS", '["Oslo", "Acme"]'),
        ("ACCESS__TOKENS", '["…", "…"]'),
    ],
)
@pytest.mark.parametrize("value", ["http://a.example", "['http://a.example']"])
def test_a_list_that_is_none_is_told_with_an_example(key: str, example: str, value: str) -> None:
    message = refuse(None, {f"STREAMER_{key}": value})
    assert "; allowed: a list" in message
    assert example in message
    if "…" not in example:
        load_config(None, {f"STREAMER_{key}": example}, {})


def test_one_underscore_instead_of_two_is_told() -> None:
    environment = {
        "STREAMER_SERVER_PORT": "9000",
        "STREAMER_VAD_MIN_SILENCE_MS": "300",
        "STREAMER_VAD__THRESHOLD": "0.4",
        "STREAMER_MODELS": "/models",
        "STREAMER_TOKENS": "a",
        "STREAMER_PORT": "tcp://10.0.0.1:80",
        "STREAMER_SERVER_HOST": "tcp://10.0.0.1:80",
        "STREAMER_LOG_LEVEL": "debug",
        "STREAMER_SERVICE_PORT": "80",
        "STREAMER_PATH": "bands",
    }
    assert list(misnamed(environment)) == [
        "STREAMER_SERVER_PORT is not a setting and has no effect; did you mean "
        "STREAMER_SERVER__PORT?",
        "STREAMER_VAD_MIN_SILENCE_MS is not a setting and has no effect; did you mean "
        "STREAMER_VAD__MIN_SILENCE_MS?",
        "STREAMER_LOG_LEVEL is not a setting and has no effect; did you mean "
        "STREAMER_SERVER__LOG_LEVEL?",
        "STREAMER_PATH is not a setting and has no effect; did you mean STREAMER_MODEL__PATH?",
    ]
    (line,) = misnamed({"STREAMER_ACCESS_ORIGINS": '["http://localhost:8000"]'})
    assert line.endswith("did you mean STREAMER_ACCESS__ORIGINS?")
    assert list(misnamed({"STREAMER_MODEL": "moonshine-base-en", "STREAMER_VAD": "webrtc"})) == [
        "STREAMER_MODEL is not a setting and has no effect; did you mean STREAMER_MODEL__PATH or "
        "STREAMER_MODEL__TYPE?",
        "STREAMER_VAD is not a setting and has no effect; did you mean STREAMER_VAD__KEY?",
    ]
    assert list(misnamed({"STREAMER_MODELS": "/weights", "STREAMER_TOKENS": "a"})) == []
    assert list(misnamed({"STREAMER_WYOMING_PORT": "9000"})) == [
        "STREAMER_WYOMING_PORT is not a setting and has no effect; did you mean "
        "STREAMER_WYOMING__PORT?"
    ]
    assert list(misnamed({"STREAMER_PORT": "9000"})) == [
        "STREAMER_PORT is not a setting and has no effect; did you mean STREAMER_SERVER__PORT?"
    ]


def test_the_token_of_the_client_is_none_of_the_server() -> None:
    assert token_of_client({"STREAMER_TOKEN": "s3cret"}) == (
        "STREAMER_TOKEN is the client's variable; the server reads STREAMER_TOKENS, and now "
        "admits everyone"
    )
    for environment in ({}, {"STREAMER_TOKEN": " "}, {"STREAMER_TOKENS": "s3cret"}):
        assert token_of_client(environment) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8080", 8080),
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        ('{"delay": 1}', {"delay": 1}),
        ('"8080"', "8080"),
        ("127.0.0.1", "127.0.0.1"),
        ("silero", "silero"),
        ("", ""),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("1e999", "1e999"),
    ],
)
def test_the_text_of_a_variable(text: str, value: object) -> None:
    assert parse(text) == value


def test_a_whole_object_from_the_environment() -> None:
    config = load_config(None, {"STREAMER_MODEL__OPTIONS": '{"delay": 1, "a": {"b": [2]}}'}, {})
    assert config.model.options == {"delay": 1, "a": {"b": [2]}}


# --- What is wrong ---


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"server": {"port": "x"}}', "'server.port' is \"x\"; allowed: a whole number from 0"),
        ('{"server": {"port": 65536}}', "'server.port' is 65536; allowed: a whole number from 0"),
        ('{"server": {"port": 1.5}}', "'server.port' is 1.5; allowed: a whole number from 0"),
        ('{"server": {"port": null}}', "'server.port' is null; allowed: a whole number from 0"),
        ('{"server": {"host": 1}}', "'server.host' is 1; allowed: an address or host name"),
        (
            '{"server": {"log_level": "loud"}}',
            "'server.log_level' is \"loud\"; allowed: one of debug, error, info, warning",
        ),
        (
            '{"server": []}',
            "'server' is []; allowed: an object with dialects, forwarded_allow_ips, host",
        ),
        (
            '{"server": {"prot": 1}}',
            "unknown field 'server.prot'; allowed: dialects, forwarded_allow_ips, host",
        ),
        (
            '{"sever": {}}',
            "unknown field 'sever'; allowed: access, grpc, inference, interim, limits, model",
        ),
        ('{"vad": {"threshold": 0}}', "'vad.threshold' is 0; allowed: a number above 0 and"),
        ('{"vad": {"engine": "x"}}', "'vad.engine' is \"x\"; allowed: one of silero, webrtc"),
        ('{"vad": {"webrtc_mode": 4}}', "'vad.webrtc_mode' is 4; allowed: a whole number from 0"),
        ('{"model": {"options": []}}', "'model.options' is []; allowed: an object"),
        ('{"model": {"path": 1}}', "'model.path' is 1; allowed: text"),
        ('{"inference": {"workers": -1}}', "'inference.workers' is -1; allowed: a whole number"),
        (
            '{"inference": {"timeout_seconds": 0}}',
            "'inference.timeout_seconds' is 0; allowed: a number above 0",
        ),
        ("[]", "expected an object of sections, got []"),
        ("null", "expected an object of sections, got null"),
    ],
)
def test_a_wrong_setting_in_the_file(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    assert refuse(file).startswith(f"{file}: {says}")


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ('{"model": "moonshine-tiny-en"}', '{"path": "moonshine-tiny-en"}'),
        ('{"model": "alarm:Alarm"}', '{"type": "alarm:Alarm"}'),
        ('{"model": "moonshine"}', '{"type": "moonshine"}'),
        ('{"models": ["moonshine-tiny-en"]}', '{"path": "moonshine-tiny-en"}'),
        ('{"models": [{}, "alarm:Alarm"]}', '{"type": "alarm:Alarm"}'),
        ('{"models": "moonshine-tiny-en"}', '[{"path": "moonshine-tiny-en"}]'),
        ('{"vad": "webrtc"}', '{"engine": "webrtc"}'),
        ('{"vad": 0.5}', '{"threshold": 0.5}'),
        ('{"server": 9000}', '{"port": 9000}'),
        ('{"server": "0.0.0.0"}', '{"host": "0.0.0.0"}'),
        ('{"simple": 2}', '{"chunk_seconds": 2}'),
        ('{"inference": 4}', '{"workers": 4}'),
        ('{"model": ["moonshine-tiny-en"]}', None),
        ('{"model": null}', None),
        ('{"model": {"path": 1}}', None),
        ('{"access": "s3cret"}', None),
    ],
)
def test_a_section_that_is_a_value_is_shown_as_an_object(
    file: Path, text: str, example: str | None
) -> None:
    file.write_text(text)
    message = refuse(file)
    if example is None:
        assert "such as" not in message
    else:
        assert message.endswith(f", such as {example}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "port: 8080",
        '{"server": {"port": 1,}}',
        '{"vad": {"threshold": NaN}}',
        '{"inference": {"timeout_seconds": Infinity}}',
        '{"inference": {"timeout_seconds": -Infinity}}',
        '{"inference": {"timeout_seconds": 1e999}}',
        '{"server": {"port": ' + "9" * 5_000 + "}}",
        "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)
def test_a_file_that_is_not_json(file: Path, text: str) -> None:
    file.write_text(text)
    assert refuse(file).startswith(f"{file} is not JSON: ")


def test_a_file_that_is_not_text(file: Path) -> None:
    file.write_bytes(b'{"server": "\xff"}')
    assert refuse(file).startswith(f"{file} is not text in UTF-8 (byte 12)")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "; an empty file is not JSON, {} is"),
        ('# mine\n{"server": {}}', "; JSON has no comments"),
        ('{"server": {}} // of mine', "; JSON has no comments"),
        ('{"server": {"port": 1,}}', "; JSON has no comma before a closing bracket"),
        ("{'server': {}}", "; JSON has double quotes only"),
        ('{"telemetry": {"metrics": True}}', "; JSON has true, false and null"),
    ],
)
def test_what_is_like_json_is_answered_with_the_difference(
    file: Path, text: str, says: str
) -> None:
    file.write_text(text)
    assert refuse(file).endswith(says)


def test_a_mark_at_the_beginning_is_no_fault(file: Path) -> None:
    file.write_text('{"server": {"port": 1}}', encoding="utf-8-sig")
    assert load_config(file, {}, {}).server.port == 1


def test_a_file_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    assert refuse(file) == f"{file} does not exist; check its name"
    assert refuse(tmp_path) == f"{tmp_path} is a directory; give a file"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("STREAMER_SERVER__PORT", "x", "'server.port' is \"x\"; allowed: a whole number from 0"),
        ("STREAMER_SERVER__PORT", "", "'server.port' is \"\"; allowed: a whole number"),
        ("STREAMER_VAD__THRESHOLD", "NaN", "'vad.threshold' is \"NaN\"; allowed: a number"),
        (
            "STREAMER_SERVER__PROT",
            "1",
            "unknown field 'server.prot'; allowed: dialects, forwarded_allow_ips, host",
        ),
        ("STREAMER_SEVER__PORT", "1", "unknown field 'sever'; allowed: access, grpc, inference"),
        ("STREAMER___PORT", "1", "unknown field ''; allowed: access, grpc, inference"),
        ("STREAMER_MODEL__OPTIONS__DELAY", "1", "unknown field 'model.options__delay'; allowed"),
    ],
)
def test_a_wrong_variable_is_named(name: str, text: str, says: str) -> None:
    assert refuse(None, {name: text}).startswith(f"{name}: {says}")


def test_a_wrong_flag_is_named() -> None:
    says = (
        "--log-level: 'server.log_level' is \"loud\"; allowed: one of debug, error, info, warning"
    )
    assert refuse(None, {}, {("server", "log_level"): "loud"}) == says


def test_the_one_that_wins_is_named(file: Path) -> None:
    file.write_text('{"server": {"port": "a"}}')
    environment = {"STREAMER_SERVER__PORT": "b"}
    assert refuse(file).startswith(f"{file}: 'server.port' is \"a\"")
    assert refuse(file, environment).startswith("STREAMER_SERVER__PORT: 'server.port' is \"b\"")
    flag = refuse(file, environment, {("server", "port"): "c"})
    assert flag.startswith("--port: 'server.port' is \"c\"")


def test_the_file_is_named_for_its_own_mistake(file: Path) -> None:
    file.write_text('{"server": 5, "sever": {}}')
    environment = {"STREAMER_SERVER__PORT": "1", "STREAMER_VAD__THRESHOLD": "0.4"}
    assert refuse(file, environment).startswith(f"{file}: ")
    file.write_text('{"sever": {}}')
    assert refuse(file, {"STREAMER_SEVER__PORT": "1"}).startswith(f"{file}: unknown field 'sever'")


CONFLICT = (
    "'vad': prefix_padding_ms + min_speech_ms is 2200; "
    "allowed: at most two thirds of max_segment_ms, 1333"
)


def test_vad_settings_that_contradict_each_other(file: Path) -> None:
    file.write_text('{"vad": {"prefix_padding_ms": 2000, "max_segment_ms": 2000}}')
    assert refuse(file) == f"{file}: {CONFLICT}"


def test_the_variables_of_a_contradiction_are_named() -> None:
    environment = {
        "STREAMER_VAD__PREFIX_PADDING_MS": "2000",
        "STREAMER_VAD__MAX_SEGMENT_MS": "2000",
    }
    assert refuse(None, environment) == f"{', '.join(environment)}: {CONFLICT}"


PAGES = '"pages.example"'

CONFLICTS = [
    # The setting at fault, its value in JSON, what else has to be set, and what is said.
    ("server.ssl_keyfile", '"k"', {}, "'server.ssl_keyfile' is given without"),
    ("server.root_path", '"speech/"', {}, "'server.root_path' is not a path like /speech"),
    ("wyoming.announce", "true", {}, "'wyoming.announce' is true, and 'wyoming.port' is 0"),
    ("access.origins", f"[{PAGES}]", {}, "'access.origins' holds 'pages.example'"),
    ("access.tokens", '["s3cret here"]', {}, "'access.tokens' holds one that no HTTP header"),
    ("access.tokens_file", '"nowhere"', {}, "'access.tokens_file' is \"nowhere\": /"),
    (
        "vad.max_segment_ms",
        "1000",
        {"vad.min_speech_ms": "300"},
        "'vad': prefix_padding_ms + min_s",
    ),
]


def variable(key: str) -> str:
    return "STREAMER_" + key.replace(".", "__").upper()


@pytest.mark.parametrize(("key", "value", "more", "says"), CONFLICTS)
def test_the_source_of_a_conflict_is_named(
    file: Path, key: str, value: str, more: dict[str, str], says: str
) -> None:
    """Whichever of the three set it, and whatever the other two set besides."""
    section, name = key.split(".")
    settings: dict[str, dict[str, object]] = {"server": {"port": 1}, "limits": {"max_sessions": 2}}
    environment = {variable("server.host"): "127.0.0.1", variable("inference.workers"): "1"}
    flags: dict[tuple[str, str], object] = {("server", "log_level"): "debug"}
    file.write_text(json.dumps(settings))
    load_config(file, environment, flags)  # without the setting at fault, all is well
    by_environment = {**environment, **{variable(k): v for k, v in more.items()}}
    where = [variable(key), *(variable(k) for k in more)]
    line = refuse(file, {**by_environment, variable(key): value}, flags)
    sources, _, message = line.partition(": ")
    assert sorted(sources.split(", ")) == sorted(where)
    assert message.startswith(says)
    by_flag = {**flags, (section, name): parse(value)}
    flag = f"--{name.replace('_', '-')}"
    assert flag in refuse(file, by_environment, by_flag).partition(": ")[0].split(", ")
    for each, text in {key: value, **more}.items():
        of, called = each.split(".")
        settings.setdefault(of, {})[called] = parse(text)
    file.write_text(json.dumps(settings))
    assert refuse(file, environment, flags).startswith(f"{file}: {says}")


def test_every_source_of_a_contradiction_is_named(file: Path) -> None:
    file.write_text('{"vad": {"min_speech_ms": 2000}}')
    line = refuse(file, {"STREAMER_VAD__MAX_SEGMENT_MS": "2000"})
    assert line.startswith(f"{file}, STREAMER_VAD__MAX_SEGMENT_MS: 'vad': ")


@pytest.mark.parametrize(("prefix", "fits"), [(1_233, True), (1_234, False)])
def test_the_longest_beginning_of_a_segment(prefix: int, fits: bool) -> None:
    config = VadConfig(prefix_padding_ms=prefix, min_speech_ms=100, max_segment_ms=2_000)
    assert (config.problem() is None) == fits


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Config().server.port = 1  # type: ignore[misc]


# --- Several models ---


def test_a_list_of_models_in_the_place_of_one(file: Path) -> None:
    file.write_text('{"models": [{"type": "standin", "workers": 2}, {"name": "other"}]}')
    assert load_config(file, {}, {}).served == (
        ModelConfig(type="standin", workers=2),
        ModelConfig(name="other"),
    )


def test_one_model_is_served_without_a_list() -> None:
    config = load_config(None, {"STREAMER_MODEL__TYPE": "standin"}, {})
    assert config.served == (config.model,)
    assert config.model.type == "standin"


def test_one_model_and_a_list_of_them(file: Path) -> None:
    file.write_text('{"models": [{"type": "standin"}], "model": {"type": "standin"}}')
    assert refuse(file) == f"{file}: 'model' is given, and 'models'; allowed: one of the two"
    file.write_text('{"models": [{"type": "standin"}]}')
    assert refuse(file, {"STREAMER_MODEL__NAME": "x"}).startswith("STREAMER_MODEL__NAME: 'model' ")


def test_a_list_of_models_cannot_come_from_the_environment(file: Path) -> None:
    file.write_text('{"models": [{"type": "standin"}]}')
    assert refuse(file, {"STREAMER_MODELS__TYPE": "standin"}) == (
        "STREAMER_MODELS__TYPE: 'models' is a list, which only a file can hold"
    )


# --- Tokens ---


def test_tokens_come_from_the_settings_a_file_and_the_environment(file: Path) -> None:
    (file.parent / "tokens").write_text("# whose\n\n  from-file \n")
    file.write_text('{"access": {"tokens": ["from-settings"], "tokens_file": "tokens"}}')
    config = load_config(file, {"STREAMER_TOKENS": "one, two\nthree"}, {})
    assert config.access.tokens == ("from-settings", "one", "two", "three", "from-file")


def test_tokens_that_no_header_can_carry(file: Path) -> None:
    line = refuse(None, {"STREAMER_TOKENS": "fine, s3crét"})
    assert line == (
        "STREAMER_TOKENS: it holds one that no HTTP header can carry; allowed: visible ASCII"
    )
    (file.parent / "tokens").write_text("fine\ns3cret here\n")
    file.write_text('{"access": {"tokens_file": "tokens"}}')
    line = refuse(file)
    assert line.startswith(f"{file}: 'access.tokens_file' is \"tokens\": the file holds one that")
    assert "s3cret" not in line


def test_secrets_of_tickets_come_from_the_same_places(file: Path) -> None:
    one, two, three = ("one-" * 8, "two-" * 8, "three-" * 8)
    (file.parent / "secrets").write_text(f"# the next one\n{three}\n")
    settings = {"ticket_secrets": [one], "ticket_secrets_file": "secrets"}
    file.write_text(json.dumps({"access": settings}))
    config = load_config(file, {"STREAMER_TICKET_SECRETS": two}, {})
    assert config.access.ticket_secrets == (one, two, three)
    assert config.without_secrets().access.ticket_secrets == ()


def test_secrets_of_tickets_that_are_too_short(file: Path) -> None:
    says = "holds one of fewer than 32 characters; `openssl rand -hex 32` prints a good one"
    assert refuse(None, {"STREAMER_TICKET_SECRETS": "s3cret"}) == (
        f"STREAMER_TICKET_SECRETS: it {says}"
    )
    (file.parent / "secrets").write_text("s3cret\n")
    file.write_text('{"access": {"ticket_secrets_file": "secrets"}}')
    assert refuse(file) == (f"{file}: 'access.ticket_secrets_file' is \"secrets\": the file {says}")
    file.write_text('{"access": {"ticket_secrets": ["s3cret"]}}')
    assert refuse(file) == f"{file}: 'access.ticket_secrets' {says}"
    file.write_text('{"access": {"ticket_secrets": "s3cret"}}')
    assert "'access.ticket_secrets' is text; allowed: a list of text" in refuse(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"access": {"tokens": "s3cret"}}', "'access.tokens' is text; allowed: a list of text"),
        (
            '{"access": {"tokens": ["s3cret", 7]}}',
            "'access.tokens' is a list that holds a number; allowed: a list of",
        ),
        ('{"access": "s3cret"}', "'access' is text; allowed: an object with tokens"),
        ('{"access": {"tokens": ["s3cret here"]}}', "that no HTTP header can carry"),
        ('{"access": {"tokens": [""]}}', "that no HTTP header can carry"),
        (
            '{"access": {"tokens_file": "nowhere"}}',
            "nowhere does not exist; check its name",
        ),
        (
            '{"access": {"tokens_file": "empty"}}',
            "'access.tokens_file' is \"empty\": there is no token",
        ),
        ('{"access": {"origins": ["a.example"]}}', "'access.origins' holds 'a.example'; allowed"),
        ('{"server": {"root_path": "speech/"}}', "'server.root_path' is not a path like /speech"),
        ('{"server": {"ssl_keyfile": "k"}}', "without 'server.ssl_certfile'"),
    ],
)
def test_wrong_access_is_refused_without_showing_a_token(file: Path, text: str, says: str) -> None:
    (file.parent / "empty").write_text("# nothing\n")
    file.write_text(text)
    line = refuse(file)
    assert says in line
    assert "s3cret" not in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '{"model": {"keyterms": ["a", "\\ud800x"]}}',
            "'model.keyterms[1]' is \"\\ud800x\"; allowed: text without lone surrogates",
        ),
        (
            '{"models": [{"name": "a\\udfff"}]}',
            "'models[0].name' is \"a\\udfff\"; allowed: text without lone surrogates",
        ),
        (
            '{"server": {"log_level": "\\ud800"}}',
            "'server.log_level' is \"\\ud800\"; allowed: text without lone surrogates",
        ),
        (
            '{"model": {"options": {"a": [{"\\ud800": 1}]}}}',
            "'model.options.a[0]' is \"\\ud800\"; allowed: text without lone surrogates",
        ),
        (
            '{"access": {"tokens": ["secret\\ud800"]}}',
            '\'access.tokens\' is a list; allowed: a list of text, ["…", "…"]',
        ),
        (
            '{"model": {"keyterms": ["a", "—"]}}',
            "'model.keyterms[1]' is \"\\u2014\"; allowed: text of 1 to 100 characters, with a "
            "letter or a digit, and without line breaks, tabs and other invisible characters",
        ),
    ],
)
def test_text_that_no_message_can_hold(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    assert refuse(file) == f"{file}: {says}"


def test_bytes_of_a_variable_that_are_no_text() -> None:
    text = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert refuse(None, {"STREAMER_SERVER__HOST": text}) == (
        "STREAMER_SERVER__HOST: 'server.host' is \"caf\\udce9\"; "
        "allowed: text without lone surrogates"
    )


def test_text_in_a_value_that_is_nested_deep(file: Path) -> None:
    nested = '{"model": {"options": {"a\nb": ' + "[" * 900 + '"\\ud800"' + "]" * 900 + "}}}"
    file.write_text(nested.replace("\n", "\\n"))
    assert refuse(file).endswith('[0]\' is "\\ud800"; allowed: text without lone surrogates')


def test_a_model_in_the_place_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "beeper.py"
    file.write_text("import streamer\n")
    assert refuse(file).endswith("""names a model's class: {"model": {"type": "module:Class"}}""")
