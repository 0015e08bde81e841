"""Secrets are found by shape or by being random, and never shown."""

from __future__ import annotations

import json
import random
import string

import pytest

from guardrails.language.folder import folder_of
from guardrails.toolchain.lint.formats.github import report_github
from guardrails.toolchain.lint.formats.json import report_json
from guardrails.toolchain.lint.formats.junit import report_junit
from guardrails.toolchain.lint.formats.sarif import report_sarif
from guardrails.toolchain.lint.formats.text import tell_report
from guardrails.toolchain.lint.linter import Linter
from guardrails.toolchain.lint.secrets import find_secrets

LETTERS = string.ascii_letters + string.digits


def made_up(length: int, alphabet: str = LETTERS) -> str:
    return "".join(random.Random(length).choices(alphabet, k=length))


# put together here, so that no scanner of this repository takes them for real
SHAPES = {
    "an access key of AWS": "AKIA" + made_up(16, string.ascii_uppercase),
    "a token of GitHub": "ghp" + "_" + made_up(36),
    "a token of GitLab": "glpat" + "-" + made_up(20),
    "a token of Slack": "xoxb" + "-" + made_up(24),
    "a webhook of Slack": "hooks.slack.com/" + f"services/T{'0AB' * 3}/B{'1CD' * 3}/{made_up(24)}",
    "a key of Anthropic": "sk-ant" + "-" + made_up(40),
    "a key of OpenAI": "sk-proj" + "-" + made_up(40),
    "a key of Stripe": "sk_live" + "_" + made_up(24),
    "a key of Google": "AIza" + made_up(35),
    "a key of SendGrid": "SG" + "." + made_up(22) + "." + made_up(43),
    "a token of npm": "npm" + "_" + made_up(36),
    "a token of PyPI": "pypi" + "-" + made_up(80),
    "a token of Hugging Face": "hf" + "_" + made_up(34),
    "a token of DigitalOcean": "dop_v1" + "_" + made_up(64, string.hexdigits[:16]),
    "a token of Shopify": "shpat" + "_" + made_up(32, string.hexdigits[:16]),
    "a token of Vault": "hvs" + "." + made_up(24),
    "a JSON web token": "eyJ" + made_up(20) + ".eyJ" + made_up(30) + "." + made_up(40),
    "a private key": "-----BEGIN RSA" + " PRIVATE KEY-----\n" + made_up(64),
    "a password in a URL": "https://" + "bot:" + made_up(12) + "@acme.com/",
    "random characters": made_up(40),
}


@pytest.mark.parametrize(("what", "secret"), SHAPES.items(), ids=SHAPES)
def test_a_secret_is_found_by_its_shape(what: str, secret: str) -> None:
    (found,) = find_secrets(f"before {secret} behind")
    assert found.what == what
    assert found.sure is (what != "random characters")


def test_no_form_of_report_shows_a_secret() -> None:
    lines = [f"  - {json.dumps(secret)}" for secret in SHAPES.values()]
    text = "\n".join(["version: 1", "policy: p", "constants:", "  all:", *lines, ""])
    folder = folder_of({"p.yaml": text})
    report = Linter("policies", 0).lint(folder)
    assert sum(finding.rule == "embedded-secret" for finding in report.findings) == len(SHAPES)

    told = [
        "\n".join(str(line) for line in tell_report(report)),
        json.dumps(report_json(report)),
        json.dumps(report_sarif(report)),
        str(report_junit(report)),
        "\n".join(report_github(report)),
    ]
    kept = [secret for what, secret in SHAPES.items() if what != "a private key"]
    for output in told:
        assert not [secret for secret in kept if secret[8:] in output]


@pytest.mark.parametrize("length", [32, 40, 64])
def test_random_text_is_told_from_words(length: int) -> None:
    rng = random.Random(length)
    texts = ["".join(rng.choices(LETTERS, k=length)) for _ in range(200)]
    found = [text for text in texts if any(find_secrets(text))]
    assert len(found) >= 0.85 * len(texts)
