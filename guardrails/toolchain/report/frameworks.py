"""The controls of public frameworks that policies can serve, in words of our own.

METR, Frontier Risk Report (2026), the ways of a rogue deployment. OWASP Top 10 for Agentic
Applications (2026). MITRE ATLAS (AML.T...). Regulation (EU) 2024/1689. ISO/IEC 42001:2023, Annex A.
AICPA Trust Services Criteria (2017, with the points of focus of 2022). Of the larger ones only what
a decision over a tool call can bear on stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: how its controls begin, what it is called, and the controls it has."""

    prefix: str
    title: str
    controls: Mapping[str, str]


FRAMEWORKS = (
    Framework(
        "METR-",
        "METR: the ways of a rogue deployment",
        {
            "METR-SE": "Social engineering of people",
            "METR-PE": "Privilege escalation",
            "METR-XT": "External tools turned to harm",
            "METR-DO": "Deception of overseers",
            "METR-OT": "Tampering with oversight",
            "METR-PR": "Persistence and acquisition of resources",
        },
    ),
    Framework(
        "OWASP-ASI",
        "OWASP Top 10 for Agentic Applications (2026)",
        {
            "OWASP-ASI01": "The agent's goal is hijacked",
            "OWASP-ASI02": "Tools are misused",
            "OWASP-ASI03": "Identity and privileges are abused",
            "OWASP-ASI04": "The agent's supply chain is compromised",
            "OWASP-ASI05": "Code runs that nobody meant to run",
            "OWASP-ASI06": "Memory and context are poisoned",
            "OWASP-ASI07": "Agents communicate insecurely",
            "OWASP-ASI08": "Failures cascade",
            "OWASP-ASI09": "People's trust in agents is exploited",
            "OWASP-ASI10": "Agents go rogue",
        },
    ),
    Framework(
        "MITRE-ATLAS-",
        "MITRE ATLAS",
        {
            "MITRE-ATLAS-T0034": "Cost harvesting",
            "MITRE-ATLAS-T0052": "Phishing",
            "MITRE-ATLAS-T0055": "Unsecured credentials",
            "MITRE-ATLAS-T0080": "Poisoning of an agent's context or memory",
            "MITRE-ATLAS-T0081": "Change of an agent's configuration",
            "MITRE-ATLAS-T0083": "Credentials from an agent's configuration",
            "MITRE-ATLAS-T0086": "Exfiltration by an agent's tools",
            "MITRE-ATLAS-T0098": "Credentials harvested by an agent's tools",
            "MITRE-ATLAS-T0101": "Data destroyed by an agent's tools",
            "MITRE-ATLAS-T0103": "Deployment of an agent",
            "MITRE-ATLAS-T0109": "A tool of the supply chain changed after it was trusted",
            "MITRE-ATLAS-T0110": "Poisoned tools",
        },
    ),
    Framework(
        "EU-AI-ACT-",
        "Regulation (EU) 2024/1689, the AI Act",
        {
            "EU-AI-ACT-5": "Prohibited practices, manipulation among them",
            "EU-AI-ACT-12": "Events are recorded automatically",
            "EU-AI-ACT-13": "Output can be understood by those who use it",
            "EU-AI-ACT-14": "People oversee, intervene and stop",
            "EU-AI-ACT-15": "Accuracy, robustness and cybersecurity",
            "EU-AI-ACT-26": "Duties of deployers: monitoring, logs kept for six months",
            "EU-AI-ACT-50": "People know that they deal with a machine",
        },
    ),
    Framework(
        "ISO-42001-",
        "ISO/IEC 42001:2023, Annex A",
        {
            "ISO-42001-A.6.2.6": "Operation and monitoring",
            "ISO-42001-A.6.2.8": "Event logs",
            "ISO-42001-A.7.5": "Provenance of data",
            "ISO-42001-A.9.2": "Processes for responsible use",
            "ISO-42001-A.9.3": "Objectives for responsible use",
            "ISO-42001-A.9.4": "Use as intended",
            "ISO-42001-A.10.3": "Suppliers",
        },
    ),
    Framework(
        "SOC2-",
        "SOC 2, Trust Services Criteria",
        {
            "SOC2-CC6.1": "Logical access is restricted",
            "SOC2-CC6.2": "Access is granted and taken away by authority",
            "SOC2-CC6.3": "Least privilege and separation of duties",
            "SOC2-CC6.6": "Boundaries are protected",
            "SOC2-CC6.7": "Information leaves to the authorised only",
            "SOC2-CC6.8": "Unauthorised software is prevented",
            "SOC2-CC7.2": "Anomalies are monitored",
            "SOC2-CC8.1": "Changes are authorised and tested",
            "SOC2-A1.2": "Backups and recovery",
            "SOC2-PI1.2": "Inputs are complete and accurate",
            "SOC2-P6.1": "Personal information is disclosed with consent",
        },
    ),
)
"""The frameworks of which a report lists what is open."""

OTHER = "Controls of your own"
"""The heading of controls that belong to none of them."""


def framework_of(control: str) -> Framework | None:
    """The framework that a control belongs to by its name, None for one of the organisation's."""
    found = (each for each in FRAMEWORKS if control.startswith(each.prefix))
    return next(found, None)
