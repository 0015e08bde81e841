# METADATA
# title: What agents may deploy
# description: The rules of CI hold for manifests that an agent applies, too.
# custom:
#   owner: platform@example.com
#   tools: [kubectl.apply]
package guardrails.kubectl

import rego.v1

deny contains msg if some msg in data.main.deny with input as input.arguments.manifest

violation contains found if some found in data.main.violation with input as input.arguments.manifest

warn contains msg if some msg in data.main.warn with input as input.arguments.manifest

allow if input.arguments.manifest.kind in {"Deployment", "Service"}
