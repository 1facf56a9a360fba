package space_game

import rego.v1

testers := {"amita"}

ops := {"tim", "andy", "mara", "lee@tailspin.example"}

release_build if input.branch == "release"

release_build if startswith(input.branch, "release/")

dev if {
	input.trigger == "push"
	release_build
	input.checks.unit == "passed"
}

covered if input.coverage >= 80

covered if "hotfix" in input.labels

test if {
	input.dev == "passed"
	input.trigger == "manual"
	input.by in ops
	count(input.checks) > 0
	every status in input.checks { status == "passed" }
	covered
}

staging if {
	input.test == "passed"
	input.test_age >= 120
	input.trigger == "manual"
	input.minute >= 360
	input.minute < 6840
	tested
	count(operating) >= 2
}

tested if {
	some approval in input.approvals
	approval.age < input.test_age
	approval.by != input.author
	approval.by in testers
}

operating contains approval.by if {
	some approval in input.approvals
	approval.age < 1440
	approval.by != input.author
	approval.by in ops
}
