"""AgentDojo's banking and workspace suites, judged by `guardrails replay`.

`python -m evaluations.agentdojo` replays each user task by itself, and each pair of a user task and
an injection task as an agent that obeys the injection would act. The policies in `policies/` were
first written from the tools' descriptions alone, then revised with the outcomes known:
`docs/agentdojo.md` has the figures of both.
"""
