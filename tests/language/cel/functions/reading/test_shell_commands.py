from __future__ import annotations

import contextlib
import inspect
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.values import Opaque
from tests.language.cel.functions.calls import Meter, call
from tests.language.cel.functions.reading.readings import ask, expected, found, section

if TYPE_CHECKING:
    from pathlib import Path

BASH = shutil.which("bash")


def names(script: str) -> Any:
    commands = found("shell_commands", script)
    if isinstance(commands, str):
        return commands
    return ["?" if type(command) is Opaque else command["name"] for command in commands]


@pytest.mark.parametrize(
    "case",
    [
        case
        for part in ("commands", "quotes", "wrapped", "refused")
        for case in section("shell", part)
    ],
)
def test_every_command_is_named_that_a_shell_would_run(case: dict[str, Any]) -> None:
    assert expected(case, "names", names(case["script"]))


def test_a_command_tells_what_it_is_given_and_where_it_writes() -> None:
    assert call("shell_commands", "A=1 ls | B=2 sudo /bin/tee -a 'x y' >> z 2>&1")[2] == {
        "name": "tee",
        "path": "/bin/tee",
        "args": ["-a", "x y"],
        "text": "B=2 sudo /bin/tee -a 'x y' >> z 2>&1",
        "assignments": {"B": "2"},
        "redirects": [
            {"op": ">>", "target": "z", "writes": True},
            {"op": ">&", "target": "1", "writes": False},
        ],
        "via": ["sudo"],
        "piped_from": ["ls"],
    }


@pytest.mark.parametrize(
    ("script", "condition", "ends"),
    [
        ("git push --force", 'exists(c, "--force" in c.args)', True),
        ('git push "--f"orce', 'exists(c, "--force" in c.args)', True),
        ("git push", 'exists(c, "--force" in c.args)', False),
        ("git push $X", 'exists(c, "--force" in c.args)', "can't be judged"),
        ('git push "$X"', 'exists(c, "--force" in c.args)', "can't be judged"),
        ("git push {a,--force}", 'exists(c, "--force" in c.args)', "can't be judged"),
        ("git push *", "all(c, c.args.size() == 1)", "can't be judged"),
        ("$X push", 'exists(c, c.name == "rm")', "can't be judged"),
        ("$X push", 'all(c, c.name in ["git"])', "can't be judged"),
        ("$X; rm x", 'exists(c, c.name == "rm")', True),
        ("$X; rm x", 'all(c, c.name in ["git"])', False),
        ("ls > x", "all(c, c.redirects.all(r, !r.writes))", False),
        ("ls 2>&1 < x", "all(c, c.redirects.all(r, !r.writes))", True),
        ("{ ls; } > x", "all(c, c.redirects.all(r, !r.writes))", False),
        ("ls > $X", 'exists(c, c.redirects.exists(r, r.target == "x"))', "can't be judged"),
        ("LD_PRELOAD=x ls", "all(c, c.assignments == {})", False),
        ("curl x | sh", 'exists(c, c.name == "sh" && "curl" in c.piped_from)', True),
        ("curl x | tee y | sh", 'exists(c, c.name == "sh" && "curl" in c.piped_from)', True),
        ("(curl x) | (cat | sh)", 'exists(c, c.name == "sh" && "curl" in c.piped_from)', True),
        ("curl x; sh", 'exists(c, c.name == "sh" && "curl" in c.piped_from)', False),
        ("sudo rm x", 'exists(c, c.name == "rm" && "sudo" in c.via)', True),
        ("ls", "exists(c, c.nmae == 'x')", "unknown"),
    ],
)
def test_what_is_not_known_is_an_error_only_where_it_matters(
    script: str, condition: str, ends: object
) -> None:
    answer = ask(f"shell_commands(arguments.x).{condition}", script)
    assert answer is ends or (isinstance(ends, str) and ends in str(answer))


WORDS = st.text(st.sampled_from("ab'\"\\$ x\n{},~#=*[]!-"), min_size=1, max_size=12)


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@settings(max_examples=150, deadline=None)
@given(WORDS)
def test_words_that_are_known_are_those_that_bash_gives(written: str) -> None:
    assert BASH is not None
    try:
        commands = call("shell_commands", f"printf '<%s>' {written}")
    except EvaluationError:
        return
    if len(commands) != 1 or type(commands[0]["args"]) is Opaque:
        return
    arguments = commands[0]["args"]
    if any(type(word) is Opaque or "~" in word for word in arguments):
        return
    ran = subprocess.run(  # the script holds no command but printf
        [BASH, "--norc", "-c", f"cd /nonexistent 2>/dev/null; printf '<%s>' {written}"],
        capture_output=True,
        check=False,
        env={"LC_ALL": "C.UTF-8"},
    )
    assert ran.stdout.decode() == "".join(f"<{word}>" for word in arguments[1:] or [""])


SCRIPTS = (
    "aa bb rr $( ) ` ' \" \\ | & ; < > << EOF { } if then else fi case in esac for do done while",
    "[[ ]] # $x ${x} A= ! && || <<- <( >( <<< f() [ ] - ,b {a,b} 2>&1 &> >| aa;bb",
)
RAN = {
    "bash": re.compile(r"RAN:([^\n]*):\n"),
    "dash": re.compile(r"dash: \d+: (?:\S*dash: \d+: )?([^\n:]*?): not found"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shell", RAN)
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pieces=st.lists(
        st.sampled_from([*" ".join(SCRIPTS).split(), *" " * 14, *"\n" * 4, "\\\n"]), max_size=16
    )
)
def test_no_command_runs_that_is_not_in_the_list(
    shell: str, pieces: list[str], tmp_path: Path
) -> None:
    """Nothing is on the `PATH`: each command that a shell looks for is told, and doesn't run."""
    script, path = "".join(pieces), shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    try:
        commands = call("shell_commands", script)
    except EvaluationError:
        return
    if any(type(command) is Opaque for command in commands):
        return
    start = tmp_path / "start"
    start.write_text('command_not_found_handle() { echo "RAN:$1:" >&2; }\n')
    ran = subprocess.run(
        [path, "-c", script],
        check=False,
        cwd=tmp_path,
        env={"PATH": "/nonexistent", "BASH_ENV": str(start)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=10,
    )
    told = set(RAN[shell].findall(ran.stderr.decode(errors="replace")))
    assert told <= {"[", *(command["path"] for command in commands)}


PIECES = (
    "ls rm $( ) ` ' \" \\ | & ; < > << EOF { } if then fi case in esac for do done [[ ]] # $x ${x}",
    "(( )) A= sudo bash -c é *",
)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from([*" ".join(PIECES).split(), " ", "\n"]), max_size=32).map("".join))
def test_any_text_is_read_or_refused(script: str) -> None:
    with contextlib.suppress(EvaluationError):
        call("shell_commands", script)


@pytest.mark.parametrize(
    "script",
    [
        "$(" * 9000,
        "`" * 9001,
        "{ " * 9000,
        "sudo " * 900,
        "sudo " * 12 + "ls; " + "timeout 1 ls; " * 140,
        "a|" * 999,
    ],
)
def test_a_script_that_stands_in_itself_too_often_is_refused(script: str) -> None:
    with pytest.raises(EvaluationError):
        call("shell_commands", script)


def test_a_script_is_charged_by_its_words_before_it_is_read() -> None:
    with pytest.raises(EvaluationError, match="too much work"):
        call("shell_commands", "x " * 15_000, meter=Meter(steps=100_000))
    with pytest.raises(EvaluationError, match="at most 32,768"):
        call("shell_commands", "x" * 40_000)


def test_a_script_that_finds_no_stack_left_is_refused() -> None:
    def descend(depth: int) -> None:
        if depth:
            descend(depth - 1)
        else:
            call("shell_commands", "$(" * 20 + "ls" + ")" * 20)

    limit = sys.getrecursionlimit()
    with pytest.raises(EvaluationError, match="too deep in itself"):
        descend(limit - len(inspect.stack()) - 60)
