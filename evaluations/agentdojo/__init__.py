"""AgentDojo's banking and workspace suites, judged by `guardrails replay`.

`python -m evaluations.agentdojo` replays each user task by itself, and each pair of a user task and
an injection task as an agent that obeys the injection would act. The policies in `policies/` were
written from the tools' descriptions alone, before any task or attack was looked at.
"""
