"""AgentDojo's part: its suites, its tool functions behind the guard, its tasks' recorded calls."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import guardrails
from evaluations.agentdojo.outcome import Fate, Outcome, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evaluations.agentdojo.deployment import Deployment

VERSION = "v1.2.2"
"""The benchmark's version, as AgentDojo numbers its suites."""

ATTACK = "direct"
"""AgentDojo's attack whose text is put in; recorded calls don't depend on its wording."""


class GuardedSuite:
    """A suite of AgentDojo whose every tool call is judged by a deployment's policies."""

    def __init__(self, deployment: Deployment, guard: guardrails.Guard) -> None:
        self.suite = import_module("agentdojo.task_suite.load_suites").get_suite(
            VERSION, deployment.suite
        )
        self.deployment = deployment
        self.guard = guard
        functions = import_module("agentdojo.functions_runtime")
        self.runtime = functions.FunctionsRuntime(
            [guarded(guard, function) for function in self.suite.tools]
        )
        pipeline = import_module("agentdojo.agent_pipeline.ground_truth_pipeline")
        attacks = import_module("agentdojo.attacks").attack_registry
        no_agent = pipeline.GroundTruthPipeline(None)
        self.attack = attacks.load_attack(ATTACK, self.suite, no_agent)

    def user_runs(self) -> Iterator[Run]:
        """Each user task by itself, in the suite's environment without injections."""
        for name, task in self.suite.user_tasks.items():
            environment = task.init_environment(self.suite.load_and_inject_default_environment({}))
            before = environment.model_copy(deep=True)
            with self.session(environment):
                calls = task.ground_truth(before.model_copy(deep=True))
                outcomes = tuple(self.call(environment, call)[0] for call in calls)
            text = task.GROUND_TRUTH_OUTPUT
            traces = task.utility_from_traces(text, before, environment, calls)
            done = traces if traces is not None else task.utility(text, before, environment)
            yield Run(name, outcomes, bool(done))

    def recorded_attacks(self) -> dict[str, Any]:
        """The injection tasks whose calls AgentDojo records; for some it gives none."""
        environment = self.suite.load_and_inject_default_environment({})
        return {
            name: injection
            for name, injection in self.suite.injection_tasks.items()
            if injection.ground_truth(environment.model_copy(deep=True))
        }

    def attack_runs(self) -> Iterator[Run]:
        """Each attack in each user task: its calls follow the first output that carries it."""
        attacks = self.recorded_attacks()
        for user_task in self.suite.user_tasks.values():
            for name, injection in attacks.items():
                yield self.attack_run(user_task, name, injection)

    def attack_run(self, user_task: Any, name: str, injection: Any) -> Run:
        """One attack in one user task; only the attack's calls are in the run."""
        texts = self.attack.attack(user_task, injection)
        environment = self.suite.load_and_inject_default_environment(texts)
        environment = user_task.init_environment(environment)
        before = environment.model_copy(deep=True)
        pending = list(injection.ground_truth(before.model_copy(deep=True)))
        calls = list(pending)
        outcomes: list[Outcome] = []
        with self.session(environment):
            for call in user_task.ground_truth(before.model_copy(deep=True)):
                _, output = self.call(environment, call)
                if pending and any(text in output for text in texts.values()):
                    outcomes += [self.call(environment, each)[0] for each in pending]
                    pending = []
            # An output that shows the text escaped, or a user task that was stopped before it.
            outcomes += [self.call(environment, each)[0] for each in pending]
        text = injection.GROUND_TRUTH_OUTPUT
        traces = injection.security_from_traces(text, before, environment, calls)
        done = traces if traces is not None else injection.security(text, before, environment)
        return Run(name, tuple(outcomes), bool(done))

    @contextmanager
    def session(self, environment: Any) -> Iterator[None]:
        """The session of one run, with the facts that the host knows."""
        facts = dict(self.deployment.facts(environment))
        with self.guard.session(subject="assistant", context=facts):
            yield

    def call(self, environment: Any, call: Any) -> tuple[Outcome, str]:
        """Make a call through the guard: what became of it, and the text of what it gave."""
        to_text = import_module("agentdojo.agent_pipeline.tool_execution").tool_result_to_str
        name = call.function
        try:
            result, _ = self.runtime.run_function(environment, name, call.args, raise_on_error=True)
        except guardrails.ApprovalRequired as stopped:
            return outcome(Fate.ESCALATED, name, stopped.decision), ""
        except guardrails.ActionDenied as stopped:
            return outcome(Fate.REFUSED, name, stopped.decision), ""
        return Outcome(Fate.RAN, name, ""), to_text(result)


def guarded(guard: guardrails.Guard, function: Any) -> Any:
    """AgentDojo's function with its implementation guarded; what it injects is not judged."""
    decorate = guard.tool(function.name, ignore=list(function.dependencies))
    return function.model_copy(update={"run": decorate(function.run)})


def outcome(fate: Fate, tool: str, decision: guardrails.Decision) -> Outcome:
    """What became of a stopped call, with the rules whose effect was the decision's."""
    rules = [match.rule for match in decision.matches if match.effect is decision.effect]
    return Outcome(fate, tool, ", ".join(rules) or str(decision.code))
