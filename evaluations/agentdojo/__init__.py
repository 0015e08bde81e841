"""AgentDojo's banking and workspace suites, their real tool functions behind the guard.

`python -m evaluations.agentdojo` runs the suites' own user tasks and injected attacks, each as the
calls that AgentDojo's authors recorded as its ground truth. The policies in `policies/` were
written from the tools' descriptions alone, before any task or attack was looked at.
"""
