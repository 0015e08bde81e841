# The policy that the team runs in CI with Conftest, as it is: its input is a manifest.
package main

import rego.v1

deny contains msg if {
	input.kind == "Deployment"
	not input.spec.template.spec.securityContext.runAsNonRoot
	msg := sprintf("%s must run as non-root", [input.metadata.name])
}

violation contains {"msg": msg, "details": {"image": container.image}} if {
	some container in input.spec.template.spec.containers
	not startswith(container.image, "registry.example.com/")
	msg := sprintf("%s comes from elsewhere", [container.image])
}

warn contains msg if {
	not input.metadata.labels.owner
	msg := sprintf("%s has no owner", [input.metadata.name])
}
