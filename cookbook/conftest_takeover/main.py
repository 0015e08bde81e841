"""A Conftest policy taken over as it is: a second module says to which calls it applies.

`policies/deployment.rego` is the file that CI runs already. `policies/kubectl.rego` hands it the
manifest of each call: what is denied there is denied here, and a warning is only logged.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import guardrails


@guardrails.tool("kubectl.apply")
def apply(manifest: dict[str, Any]) -> str:
    """Apply a manifest."""
    return f"applied {manifest['metadata']['name']}"


def deployment(name: str, image: str, *, root: bool = False) -> dict[str, Any]:
    """A manifest as an agent writes it."""
    pod = {
        "securityContext": {"runAsNonRoot": not root},
        "containers": [{"name": name, "image": image}],
    }
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"owner": "shop"}},
        "spec": {"template": {"spec": pod}},
    }


ours = "registry.example.com/shop:7"
with TemporaryDirectory() as log:
    guard = guardrails.Guard.load(Path(__file__).parent / "policies", log=log)
    with guard.session(subject="deploy-bot"):
        for manifest in (
            deployment("shop", ours),
            deployment("shop", ours, root=True),
            deployment("miner", "docker.io/miner:latest"),
            {"kind": "ClusterRoleBinding", "metadata": {"name": "all"}},
        ):
            try:
                print(apply(manifest))
            except guardrails.ActionDenied as denied:
                print("denied:", denied)
