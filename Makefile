# The steps live in .ci/tasks.py, which run.bat and test.bat call too.
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help run test lint type eval bench faults audit

help run test lint type eval bench faults audit:
	@$(PYTHON) .ci/tasks.py $@
