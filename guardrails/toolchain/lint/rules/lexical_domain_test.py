"""A domain is not told by the letters of an address or URL.

What it does
------------
Reports `startsWith`, `endsWith`, `contains`, `matches` (and comparisons of what `split`,
`substring` or `replace` leave) that look for a domain in a mail address, a URL or a host name, with
a text that gets by: it was tried on the condition. What the argument holds is told by its `kind` or
`format`, by its name, or by what is looked for (`@acme.example`, `https://acme.example`). A test
that none of the texts tried gets by is not reported.

Why it is bad
-------------
It is the classic bypass. `mallory@evil-acme.example` ends with `acme.example`, the URL
`https://evil.example/acme.example` contains it, `https://acme.example.evil.example` starts with it;
and what is looked for in lower case is not found in `EVIL.example`.

Example
-------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: string, kind: recipient}
        required: [to]
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        when: arguments.to.endsWith("acme.example")

Use instead
-----------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: string, kind: recipient}
        required: [to]
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        when: domain_within(email_domain(arguments.to), "acme.example")
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from guardrails.display import quote
from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.names import domain_within, email_domain, url_host
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.lexical import (
    Candidate,
    find_tests,
    form_of,
    slip,
    sought_text,
    write_proper,
)
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.trial import FAILED, Budget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.lexical import LexicalTest, Text
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.trial import Outcome

_MAIL, _URL, _HOST = "mail address", "URL", "host name"

_KINDS: Mapping[str, str] = {
    "recipient": _MAIL,
    "url": _URL,
    "email": _MAIL,
    "uri": _URL,
    "iri": _URL,
    "hostname": _HOST,
}
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("mail", "email", "emails", "to", "cc", "bcc", "recipient", "recipients",
                     "sender", "address", "addresses"), _MAIL),
    **dict.fromkeys(("url", "urls", "uri", "link", "links", "href", "endpoint", "webhook",
                     "website", "site", "origin", "callback", "redirect"), _URL),
    **dict.fromkeys(("host", "hosts", "hostname", "domain", "domains", "fqdn"), _HOST),
}  # fmt: skip
_STAND_IN = "acme.example"

_DOMAIN = re.compile(r"(?i)(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_BEFORE = re.compile(r"(?i)(?:(?:[a-z][a-z0-9+-]*:)?//|@)?\.?")
_BEHIND = re.compile(r"[:/?#].*[A-Za-z0-9]")
_FOLDER_BEHIND = re.compile(r"/[A-Za-z0-9]")
_ESCAPED = re.compile(r"\\([./@:-])|\[([.])\]")
_FILES = frozenset(
    ["css", "csv", "doc", "docx", "exe", "gif", "gz", "htm", "html", "ico", "jpeg", "jpg", "js",
     "json", "log", "md", "pdf", "php", "png", "ppt", "pptx", "py", "sh", "svg", "tar", "toml",
     "txt", "webp", "xls", "xlsx", "xml", "yaml", "yml", "zip"]
)  # fmt: skip
"""Endings of the names of files, which look like domains."""


class _Sought(NamedTuple):
    """The domain that a test looks for, in what, and the text it is part of.

    `alone` says that nothing but the domain is looked for.
    """

    domain: str
    form: str
    text: str
    alone: bool


@lint_rule("lexical-domain-test", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The tests of domains by their letters that a text gets by."""
    for test in find_tests(project):
        text = sought_text(test, _STAND_IN)
        if text is None:
            continue
        form = _of_functions(test) or form_of(project, test, _WORDS, _KINDS)
        sought = _read(text.value, form, is_pattern=test.function == "matches")
        if sought is None or not (test.helps or sought.alone):
            continue
        proper = partial(_is_within, sought.form, sought.domain)
        found = slip(test, text.assumed, _candidates(sought, helps=test.helps), proper)
        if found is not None:
            taken = "passes as" if test.helps else "is not taken for"
            yield project.finding(
                project.at(test.clause.condition, test.node),
                f"{quote(test.function)} does not tell the domain of a {sought.form}: "
                f"{quote(found.text)} {taken} {quote(sought.domain)}{text.proviso}",
                why=found.why,
                mend=f"write `{_proper_test(test, text, sought)}`",
            )


def _of_functions(test: LexicalTest) -> str | None:
    """What a text is that goes through one of the proper functions."""
    if "email_domain" in test.through:
        return _MAIL
    return _URL if "url_host" in test.through else None


def _read(text: str, form: str | None, *, is_pattern: bool) -> _Sought | None:
    """The domain in what is looked for; None where there is none, or one person's address."""
    if is_pattern:
        text = _ESCAPED.sub(lambda found: found[1] or found[2], text)
    domain = _DOMAIN.search(text)
    if domain is None:
        return None
    before, behind = text[: domain.start()], text[domain.end() :]
    if "://" in before:
        form = _URL
    elif "@" in before:
        if before[: before.index("@")][-1:].isalnum():
            return None
        form = _MAIL
    elif domain[0].rpartition(".")[2].lower() in _FILES:
        return None
    if form is None:
        return None
    alone = (
        not _FOLDER_BEHIND.match(behind)
        if is_pattern
        else bool(_BEFORE.fullmatch(before)) and not _BEHIND.match(behind)
    )
    return _Sought(domain[0].lower(), form, text, alone)


def _is_within(form: str, domain: str, text: str) -> Outcome:
    """Whether what `text` names lies within `domain`."""
    budget = Budget()
    try:
        if form == _MAIL:
            text = email_domain(budget, text)
        elif form == _URL:
            text = url_host(budget, text)
        return domain_within(budget, text, domain)
    except EvaluationError:
        return FAILED


def _proper_test(test: LexicalTest, text: Text, sought: _Sought) -> str:
    given = test.written(test.given)
    read = {_MAIL: f"email_domain({given})", _URL: f"url_host({given})", _HOST: given}
    return write_proper(test, text, "domain_within", read[sought.form], sought.domain)


def _candidates(sought: _Sought, *, helps: bool) -> Iterator[Candidate]:
    if helps:
        makers = {_MAIL: _foreign_mail, _URL: _foreign_urls, _HOST: _foreign_hosts}
    else:
        makers = {_MAIL: _own_mail, _URL: _own_urls, _HOST: _own_hosts}
    return makers[sought.form](sought)


def _foreign_hosts(sought: _Sought) -> Iterator[Candidate]:
    """Hosts outside the domain."""
    domain = sought.domain
    yield Candidate(f"evil{domain}", "a longer name can end in the same letters")
    yield Candidate(f"{domain}.evil.example", "a longer name can begin with the same letters")
    first, _, rest = domain.partition(".")
    if "." in rest:
        yield Candidate(f"{first}x{rest}", "a `.` in a pattern stands for any character")


def _foreign_mail(sought: _Sought) -> Iterator[Candidate]:
    domain = sought.domain
    for host, why in _foreign_hosts(sought):
        yield Candidate(f"mallory@{host}", why)
    yield Candidate(f"mallory@evil.example,dana@{domain}", "a text can hold several addresses")
    yield Candidate(f"{domain}@evil.example", "the name before the `@` can be anything")
    yield Candidate(f"dana@{domain}@evil.example", "with two `@`, mail goes to the last domain")
    yield Candidate(
        f'"dana@{domain}" <mallory@evil.example>', "a display name can be another address"
    )


def _foreign_urls(sought: _Sought) -> Iterator[Candidate]:
    domain, text = sought.domain, sought.text
    for host, why in _foreign_hosts(sought):
        yield Candidate(f"https://{host}/", why)
        yield Candidate(f"https://{host}", why)
    if "://" in text:
        yield Candidate(f"{text}.evil.example/", "a longer name can begin with the same letters")
        yield Candidate(f"{text}@evil.example/", "what stands before an `@` is not the host")
    yield Candidate(f"https://{domain}@evil.example/", "what stands before an `@` is not the host")
    yield Candidate(f"https://evil.example/{domain}", "the path can hold anything")
    yield Candidate(f"https://evil.example/?{text}", "the query can hold anything")
    yield Candidate(f"https://evil.example/{domain}/", "the path can hold anything")


def _own_hosts(sought: _Sought) -> Iterator[Candidate]:
    """Hosts of the domain, written otherwise."""
    yield Candidate(sought.domain.upper(), "case does not count in a domain")
    yield Candidate(f"{sought.domain}.", "a dot at the end names the same host")


def _own_mail(sought: _Sought) -> Iterator[Candidate]:
    domain = sought.domain
    yield Candidate(f"dana@{domain.upper()}", "case does not count in a domain")
    yield Candidate(f"Dana <dana@{domain}>", "a display name can stand around an address")


def _own_urls(sought: _Sought) -> Iterator[Candidate]:
    domain = sought.domain
    yield Candidate(f"https://{domain.upper()}/", "case does not count in a domain")
    yield Candidate(f"https://{domain}/", "a path can follow the host")
    yield Candidate(f"https://{domain}:443/", "a port can follow the host")
    yield Candidate(f"https://{domain.replace('.', '%2e')}/", "browsers read `%2e` as a dot")
